/**
 * Requests that node:http takes and that two readers could take differently: refused before anything of ours looks at them.
 * What a proxy in front of us judged must be what we answer, so there is one Host, one framing, one of each header that decides
 * anything, and a path that is what it says. (RFC 9112 §3.2, §6.1 and §11.2; checklist 38, 87)
 */
import { AuthError } from "../errors.ts";

/** What `IncomingMessage` says of a request as it was written. */
export interface RawRequest {
  readonly httpVersion: string;
  readonly url?: string | undefined;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** Whoever reads the first and whoever reads the last of two must not come to different ends. */
const SINGLE = ["host", "authorization", "content-type", "content-encoding", "transfer-encoding", "expect"];
/** By length, of which no two have the same: nearly every other header is passed over at a glance. */
const SINGLE_BY_LENGTH = new Map(SINGLE.map((name) => [name.length, name]));
/** A name, an IPv4 or a bracketed IPv6 address, and a port. Nothing of ours is made of it, so it need not be resolvable. */
const AUTHORITY = String.raw`(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?`;
const HOST = new RegExp(`^(?:${AUTHORITY})?$`, "i");
const ABSOLUTE_FORM = new RegExp(`^https?://${AUTHORITY}(?=/|$)`, "i");
/** "." and ".." in any spelling: whoever resolves them sees another path. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Says why a request is not to be answered otherwise: an AuthError `request_invalid` or `credentials_repeated`, both 400. */
export function requestFault({ httpVersion, url = "", rawHeaders }: RawRequest): AuthError | undefined {
  const is11 = httpVersion === "1.1";
  if (!is11 && httpVersion !== "1.0") return fault("an HTTP version that is not 1.0 or 1.1");
  const values: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const written = rawHeaders[i] as string;
    const name = SINGLE_BY_LENGTH.get(written.length);
    if (name === undefined || written.toLowerCase() !== name) continue;
    if (values[name] !== undefined) {
      const reason = `more than one ${name} header`;
      return name === "authorization" ? new AuthError("credentials_repeated", { reason }) : fault(reason);
    }
    values[name] = rawHeaders[i + 1] as string;
  }
  const { host, expect: expectation, "transfer-encoding": coding } = values;
  if (host === undefined ? is11 : !HOST.test(host)) return fault("no valid Host");
  // Another coding would be left on the body, and HTTP/1.0 knows none: its proxies would find another end of the request.
  if (coding !== undefined && (!is11 || coding.toLowerCase() !== "chunked"))
    return fault("a transfer coding not taken");
  if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") return fault("an unknown expectation");
  const target = toOriginForm(url);
  if (target === undefined) return fault("a request target that is no path");
  const path = target.includes("?") ? target.slice(0, target.indexOf("?")) : target;
  if (path.includes("\\") || DOT_SEGMENT.test(path)) return fault("a path that means another");
  return undefined;
}

/**
 * The path and query of a request target in origin or absolute form (RFC 9112 §3.2); `undefined` for any other.
 * The authority of an absolute form is passed over like the Host header that it replaces.
 */
export function toOriginForm(target: string): string | undefined {
  if (target.includes("#")) return undefined;
  if (target.startsWith("/")) return target;
  return ABSOLUTE_FORM.test(target) ? target.replace(ABSOLUTE_FORM, "") || "/" : undefined;
}

const fault = (reason: string) => new AuthError("request_invalid", { reason });

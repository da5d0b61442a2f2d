/** One request to one side, and what is compared of the answer. */
import { request } from "node:http";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What is compared, each as a text. */
export interface Observed {
  readonly status: string;
  readonly body: string;
  readonly "content-type": string;
  readonly "www-authenticate": string;
  readonly allow: string;
}

export const ASPECTS = ["status", "body", "content-type", "www-authenticate", "allow"] as const;
export type Aspect = (typeof ASPECTS)[number];

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export function send(url: string, { method, path, headers = {}, body }: Sent): Promise<RawAnswer> {
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      { method, agent: false, headers: { ...headers, ...length } },
      (answer) => {
        // Python's simple server sends a body here, which no client reads.
        if (method === "HEAD") resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: "" });
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString() }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Reduces an answer to what must be the same on both sides: tokens become their claims, instants become durations. */
export function observe({ status, headers, text }: RawAnswer): Observed {
  const header = (name: string) => String(headers[name] ?? "");
  return {
    status: String(status),
    body: observeBody(text),
    "content-type": header("content-type").split(";")[0]?.trim() ?? "",
    "www-authenticate": header("www-authenticate"),
    // Only there it tells a client anything.
    allow: status === 405 ? header("allow") : "",
  };
}

/** What the envelope of a session adds; an access token of the recipe has no `jti` but ours. */
const OURS = ["sid", "epoch", "lkr"];

function observeBody(text: string): string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return text === "" ? "" : "a page";
  }
  return JSON.stringify(body, (name, value) =>
    typeof value === "string" && /^(access|refresh)$/.test(name) && value.split(".").length === 3
      ? describeToken(value)
      : value,
  );
}

function describeToken(token: string): object {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] as string, "base64url").toString());
  const { iat, exp, jti, ...rest } = claims;
  const kept = Object.entries(rest).filter(([name]) => !OURS.includes(name));
  const isFresh = Math.abs(iat - Date.now() / 1000) < 60;
  const isSimple = "token_type" in claims;
  return {
    ...Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))),
    // simplejwt before 5.5 copies the refresh token's iat, so what is left is compared.
    lives: Math.round((exp - Date.now() / 1000) / 20) * 20,
    iat: isFresh ? "now" : iat,
    ...(isSimple && { jti: /^[0-9a-f]{32}$/.test(jti) ? "32 hex digits" : jti }),
  };
}

/** The aspects in which two answers differ. What only follows from another status is not named beside it. */
export function differences(django: Observed, ours: Observed): readonly Aspect[] {
  const aspects = ASPECTS.filter((aspect) => django[aspect] !== ours[aspect]);
  if (!aspects.includes("status")) return aspects;
  // A server that fell over says nothing to compare.
  return /^5/.test(django.status) ? ["status"] : aspects.filter((aspect) => aspect !== "www-authenticate");
}

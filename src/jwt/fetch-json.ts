/** Fetching a JSON document from the URL that was configured: bounded in time and size, never redirected, strictly read. */
import { readJson } from "../json.ts";

export interface FetchJsonOptions {
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds. */
  readonly timeout: number;
  /** Bytes. */
  readonly maxSize: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** @throws Error whose message follows "the fetch failed:". It holds nothing of the document and nothing of the headers. */
export async function fetchJson(location: URL, options: FetchJsonOptions): Promise<unknown> {
  const { fetch, timeout, maxSize, headers, signal } = options;
  const tooLate = AbortSignal.timeout(timeout);
  const response = await fetch(location, {
    headers: { accept: "application/json", ...headers },
    // A redirect could lead to plain HTTP, or to somebody else.
    redirect: "error",
    signal: signal ? AbortSignal.any([signal, tooLate]) : tooLate,
  });
  if (response.status !== 200) throw new Error(`the answer has status ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxSize) throw new Error(`the answer has more than ${maxSize} bytes`);
    chunks.push(chunk);
  }
  const { value, problem } = readJson(Buffer.concat(chunks));
  if (problem !== undefined) throw new Error(`the answer ${problem}`);
  return value;
}

const LONGEST_REASON = 160;

/** Why a fetch failed, to end a reason with: short, and on one line, since others have worded it. */
export function brieflyWhy(failure: Error): string {
  // "fetch failed" is all that the platform says; the code of the socket's error is behind it.
  const { code } = (failure.cause ?? {}) as { readonly code?: unknown };
  const text = typeof code === "string" ? `${failure.message} (${code})` : failure.message;
  const line = text.replace(/[^\x20-\x7e]+/g, " ");
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}...` : line;
}

/** What was thrown by a fetch that may have been somebody's own, as an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** @throws TypeError when the URL is none, is not https (and that was not allowed), or holds credentials. */
export function readLocation(url: string | URL, what: string, allowInsecureHttp: boolean): URL {
  const location = URL.parse(url);
  if (!location) throw new TypeError(`the URL of ${what} is not a URL`);
  const isAllowed = location.protocol === "https:" || (allowInsecureHttp && location.protocol === "http:");
  if (!isAllowed) {
    throw new TypeError(
      `the URL of ${what} must be https, because whoever is on the way could change it; allowInsecureHttp: true takes http, for a server on one's own machine`,
    );
  }
  if (location.username || location.password) throw new TypeError(`the URL of ${what} holds no credentials`);
  return location;
}

/**
 * The server, as the pages see it. `latchkey/client` keeps the session, in cookies that no script can read; all that is
 * added here is what JSON calls look like and whether the server is there at all.
 */
import { ClientError, type ClientState, createClient } from "latchkey/client";
import { createStore, type Store } from "./store.ts";

export type { ClientState, LiveSession, User } from "latchkey/client";
export { ClientError };

export const client = createClient({ baseUrl: location.origin });

/** Who is signed in. */
export const signedIn: Store<ClientState> = createStore(client.state);
client.onChange(() => signedIn.set(client.state));

/** False from the first call that nobody answered until the server is back. */
export const isReachable = createStore(true);

/** Milliseconds. */
const CALL_TIMEOUT = 10_000;
const PROBE_INTERVAL = 1_500;

/**
 * Calls the server as the user who is signed in.
 * @returns the JSON of a success, `undefined` for 204.
 * @throws ClientError with the server's code, or `unreachable`.
 */
export function call<T>(method: string, path: string, body?: object): Promise<T> {
  return noticing(async () => {
    let response: Response;
    let text: string;
    try {
      response = await client.fetch(path, {
        method,
        redirect: "error",
        signal: AbortSignal.timeout(CALL_TIMEOUT),
        ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (cause) {
      if (cause instanceof ClientError) throw cause;
      throw new ClientError("unreachable", "No answer", { cause });
    }
    if (response.status === 204) return undefined as T;
    const answer = readJson(text) as { code?: string; detail?: string; errors?: [] } | undefined;
    if (response.ok && answer !== undefined) return answer as T;
    if (typeof answer?.code !== "string") {
      throw new ClientError("unexpected_answer", "Not the server", { status: response.status });
    }
    const { status, headers } = response;
    const details = { status, errors: answer.errors, retryAfter: Number(headers.get("retry-after")) };
    throw new ClientError(answer.code, answer.detail ?? answer.code, details);
  });
}

/** Notices when nobody answers, whoever asked. */
export async function noticing<T>(run: () => Promise<T>): Promise<T> {
  try {
    const answer = await run();
    isReachable.set(true);
    return answer;
  } catch (error) {
    if (isSilence(error)) {
      isReachable.set(false);
      probe();
    }
    throw error;
  }
}

/** No answer, or one that says "not now": nothing that anybody here did wrong. */
const isSilence = (error: unknown): boolean =>
  error instanceof ClientError &&
  (/^(unreachable|unexpected_answer|store_unavailable)$/.test(error.code) || (error.status ?? 0) > 503);

let isProbing = false;

/** Asks until somebody answers. */
async function probe(): Promise<void> {
  if (isProbing) return;
  isProbing = true;
  while (!isReachable.value) {
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL));
    const answer = await fetch("/v1/health", { signal: AbortSignal.timeout(CALL_TIMEOUT) }).catch(() => undefined);
    if (answer?.ok) isReachable.set(true);
  }
  isProbing = false;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a guard looks at, read from a request of node:http without making anything of it that costs. */
import type { IncomingMessage } from "node:http";
import type { RequestHead } from "../http/cookies.ts";

const AUTHORIZATION = "authorization";

/** All Authorization headers of a request. The name is written here: a name out of a variable costs several times as much. */
export function authorizationOf({ headers: { authorization }, rawHeaders }: IncomingMessage): string | undefined {
  if (authorization === undefined) return undefined;
  // Node keeps the first Authorization header of two and says nothing of the other.
  return authorizationsIn(rawHeaders) || String(authorization);
}

export class NodeHead implements RequestHead {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  get method(): string {
    return this.#incoming.method ?? "GET";
  }

  get host(): string | undefined {
    return this.#incoming.headers.host;
  }

  header(name: string): string | undefined {
    if (name === AUTHORIZATION) return authorizationOf(this.#incoming);
    const value = this.#incoming.headers[name];
    if (value === undefined) return undefined;
    return typeof value === "string" ? value : value.join(", ");
  }
}

/** All of them, joined as fetch would. */
function authorizationsIn(rawHeaders: readonly string[] = []): string {
  let all = "";
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== AUTHORIZATION.length) continue;
    // As nearly everybody writes it, and as HTTP/2 does.
    if (name !== "Authorization" && name !== AUTHORIZATION && name.toLowerCase() !== AUTHORIZATION) continue;
    const value = rawHeaders[i + 1] as string;
    all = all === "" ? value : `${all}, ${value}`;
  }
  return all;
}

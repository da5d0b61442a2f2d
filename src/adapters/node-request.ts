/** What a guard looks at, read from a request of node:http. */
import type { IncomingMessage } from "node:http";
import type { RequestHead } from "../http/cookies.ts";
import { authorizationOf } from "../http/node-authorization.ts";

export class NodeHead implements RequestHead {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  get method(): string {
    return this.#incoming.method ?? "GET";
  }

  get host(): string | undefined {
    // HTTP/2 has another name for it.
    return this.#incoming.headers.host ?? (this.#incoming.headers[":authority"] as string | undefined);
  }

  header(name: string): string | undefined {
    if (name === "authorization") return authorizationOf(this.#incoming);
    const value = this.#incoming.headers[name];
    if (value === undefined) return undefined;
    return typeof value === "string" ? value : value.join(", ");
  }
}

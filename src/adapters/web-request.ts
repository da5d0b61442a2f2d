/** Requests and refusals where Request and Response are spoken. */
import { AuthError } from "../errors.ts";
import type { RequestHead } from "../http/cookies.ts";
import { toProblem } from "../http/problem.ts";

export class WebHead implements RequestHead {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  /** As the browser asked for it: in Next.js the URL has the name that the server was started with. */
  get host(): string {
    return this.#request.headers.get("host") ?? new URL(this.#request.url).host;
  }

  header(name: string): string | null {
    return this.#request.headers.get(name);
  }
}

/** The answer to what a guard threw. @throws what is no refusal. */
export function toRefusal(error: unknown): Response {
  if (error instanceof AuthError) return toProblem(error);
  throw error;
}

/** An honest client, as the documents want one: an attempt id for each token it spends, kept through every retry, and no verdict but the server's. */
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Operation, Outcome } from "./history.ts";

export interface HttpAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a server under torture answers
  readonly body: any;
  readonly retryAfter?: string | undefined;
}

export interface WireOptions {
  readonly token?: string;
  readonly body?: object;
  /** From where the request seems to come, for a server behind one proxy. */
  readonly address?: string;
}

export interface Wire {
  send(method: string, url: string, options?: WireOptions): Promise<HttpAnswer>;
  close(): void;
}

/** Milliseconds: below the grace, as docs/sessions.md says. */
const TIMEOUT = 10_000;

export function createWire(maxSockets = 64, timeout = TIMEOUT): Wire {
  const agent = new Agent({ keepAlive: true, maxSockets });
  return {
    send: (method, url, { token, body, address } = {}) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const headers = {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(address !== undefined && { "x-forwarded-for": address }),
          ...(text !== undefined && {
            "content-type": "application/json",
            "content-length": String(Buffer.byteLength(text)),
          }),
        };
        const outgoing = request(url, { method, agent, headers, timeout }, (incoming) => {
          const parts: Buffer[] = [];
          incoming.on("data", (part: Buffer) => parts.push(part));
          incoming.on("error", reject);
          incoming.on("aborted", () => reject(new Error("cut")));
          incoming.on("end", () => {
            const answer = Buffer.concat(parts).toString();
            try {
              resolve({
                status: incoming.statusCode ?? 0,
                body: answer === "" ? undefined : JSON.parse(answer),
                retryAfter: incoming.headers["retry-after"],
              });
            } catch {
              reject(new Error(`no JSON: ${answer.slice(0, 80)}`));
            }
          });
        });
        outgoing.on("timeout", () => outgoing.destroy(new Error("timed out")));
        outgoing.on("error", reject);
        outgoing.end(text);
      }),
    close: () => agent.destroy(),
  };
}

export interface ClientOptions {
  readonly session: number;
  /** Where to ask; another one at each call where there are several servers. */
  url(): string;
  readonly wire: Wire;
  readonly record: (operation: Operation) => void;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly generation: number;
  readonly session_id: string;
}

export const newAttempt = () => randomBytes(16).toString("base64url");

export const toOutcome = ({ status, body }: HttpAnswer): Outcome => {
  if (status === 200 && body?.refresh_token)
    return { is: "granted", generation: body.generation, refreshToken: body.refresh_token };
  if (status < 300) return { is: "done" };
  if (status === 503 || status === 429) return { is: "unknown", what: String(status) };
  return { is: "refused", status, code: body?.code ?? "none" };
};

export class Client {
  tokens: Tokens;
  /** False once it has been told that its session is over. */
  isSignedIn = true;
  readonly #options: ClientOptions;

  constructor(tokens: Tokens, options: ClientOptions) {
    this.tokens = tokens;
    this.#options = options;
  }

  /** Spends the refresh token, until there is a verdict or `patience` milliseconds have passed. */
  async refresh(patience = 60_000): Promise<void> {
    const attempt = newAttempt();
    const { refresh_token, generation: presented } = this.tokens;
    const giveUp = performance.now() + patience;
    for (;;) {
      const { outcome, answer } = await this.#ask("refresh", "POST", "/v1/users/me/token/refresh", {
        body: { refresh_token, attempt },
        more: { presented, attempt },
      });
      if (outcome.is === "granted") {
        this.tokens = answer?.body;
        return;
      }
      if (outcome.is === "refused") {
        this.isSignedIn = false;
        return;
      }
      if (performance.now() > giveUp) return;
      await sleep(20 + Math.random() * 80);
    }
  }

  /** Shows the access token at a guard. @returns whether it was let pass; `undefined` without an answer. */
  async guard(token = this.tokens.access_token): Promise<boolean | undefined> {
    const { outcome } = await this.#ask("guard", "GET", "/v1/users/me", { token });
    return outcome.is === "unknown" ? undefined : outcome.is === "done";
  }

  /** Signs out. @returns whether it was acknowledged. */
  async logout(): Promise<boolean> {
    const { refresh_token } = this.tokens;
    const { outcome } = await this.#ask("end", "POST", "/v1/users/me/token/revoke", { body: { refresh_token } });
    return outcome.is === "done";
  }

  async #ask(
    kind: Operation["kind"],
    method: string,
    path: string,
    { token, body, more }: { token?: string; body?: object; more?: Partial<Operation> },
  ): Promise<{ outcome: Outcome; answer?: HttpAnswer }> {
    const { session, url, wire, record } = this.#options;
    const started = performance.now();
    let answer: HttpAnswer | undefined;
    let outcome: Outcome;
    try {
      answer = await wire.send(method, url() + path, { ...(token !== undefined && { token }), ...(body && { body }) });
      outcome = toOutcome(answer);
    } catch (error) {
      outcome = { is: "unknown", what: (error as Error).message };
    }
    record({ kind, session, started, ended: performance.now(), outcome, ...more });
    return { outcome, ...(answer && { answer }) };
  }
}

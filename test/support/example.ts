/** An example application as its own process, and what all of them do. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { TestContext } from "node:test";
import { ROOT } from "./root.ts";

/** Milliseconds that an example has to come up on a busy machine. */
const PATIENCE = 60_000;
const PASSWORD = "correct horse battery";

export interface ExampleProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts an example that prints its address; it is gone when the test has ended, however it ended. @returns the address. */
export function startExample(t: Pick<TestContext, "after">, { command, args, cwd = ROOT, env }: ExampleProcess) {
  const child = spawn(command, args, { cwd, env: { ...process.env, PORT: "0", ...env }, detached: true });
  // The group: some stand behind a process that starts them.
  const end = () => child.exitCode === null && child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
  t.after(end);
  let output = "";
  return new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not up after ${PATIENCE / 1000} s:\n${output}`)), PATIENCE);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      reject(new Error(`it exited with ${code}:\n${output}`));
    });
    const read = (chunk: Buffer) => {
      output += chunk;
      const found = /(?:listens on|Local:) +(http:\/\/[\w.:[\]]+)/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  readonly body: any;
}

export class ExampleClient {
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  async call(method: string, path: string, { token, body }: { token?: string; body?: object } = {}): Promise<Answer> {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const init = { method, headers, signal: this.#signal, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await fetch(new URL(path, this.#url), init);
    // Refusals are worded by each framework in its own way.
    const isJson = answer.headers.get("content-type")?.includes("json");
    const text = await answer.text();
    return { status: answer.status, body: isJson ? JSON.parse(text) : text, headers: answer.headers };
  }

  /** @returns an access token. */
  async signIn(username: string): Promise<string> {
    const body = { username, password: PASSWORD };
    return (await this.call("POST", "/auth/v1/users/me/token", { body })).body.access_token;
  }
}

export interface NotePaths {
  readonly notes: string;
  readonly statistics: string;
}

/** ada keeps notes, and only grace, who is on the staff, sees the statistics. @returns ada's access token. */
export async function keepNotes(client: ExampleClient, { notes, statistics }: NotePaths): Promise<string> {
  const token = await client.signIn("ada");

  const nobody = await client.call("GET", notes);
  assert.equal(nobody.status, 401);
  assert.match(nobody.headers.get("www-authenticate") ?? "", /^Bearer realm=/);
  assert.equal((await client.call("GET", notes, { token: `${token}x` })).status, 401);

  const added = await client.call("POST", notes, { token, body: { text: "milk" } });
  assert.deepEqual([added.status, added.body], [201, { notes: ["milk"] }]);
  assert.equal((await client.call("POST", notes, { token, body: { text: 7 } })).status, 422);
  assert.deepEqual((await client.call("GET", notes, { token })).body, { notes: ["milk"] });

  assert.equal((await client.call("GET", statistics, { token })).status, 403);
  const staff = await client.signIn("grace");
  assert.deepEqual((await client.call("GET", notes, { token: staff })).body, { notes: [] });
  const seen = await client.call("GET", statistics, { token: staff });
  assert.deepEqual([seen.status, seen.body], [200, { notes: 1, askedBy: ["staff"] }]);
  return token;
}

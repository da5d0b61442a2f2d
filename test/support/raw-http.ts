/** HTTP by hand: whatever bytes, in whatever pieces, and all that comes back, read strictly. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { documentedByFile } from "./documented.ts";

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  readonly body: any;
}

export interface Exchange {
  readonly answers: readonly RawAnswer[];
  /** True when the server ended the connection, false when we did, because enough had come or nothing did. */
  readonly isEnded: boolean;
  readonly error: string | undefined;
}

export interface SendOptions {
  /** Answers to wait for before we hang up; with Infinity until the server does. Default 1. */
  readonly answers?: number;
  /** Milliseconds after which we hang up whatever came. Default 10,000. */
  readonly patience?: number;
  /** True: our side of the connection is closed after the last piece. */
  readonly isHalfClosed?: boolean;
  /** Requests by HEAD, whose answers have no body. */
  readonly isHead?: boolean;
}

/** Sends pieces (numbers are pauses in milliseconds) over a connection of their own. Text is sent as Latin-1. */
export function send(
  url: string,
  pieces: string | readonly (string | Uint8Array | number)[],
  { answers: wanted = 1, patience = 30_000, isHalfClosed = false, isHead = false }: SendOptions = {},
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    let received: Buffer = Buffer.alloc(0);
    let answers: RawAnswer[] = [];
    let error: string | undefined;
    const finish = (isEnded: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      try {
        if (!isHead) holdToDocument(pieces, answers);
      } catch (problem) {
        reject(problem);
      }
      resolve({ answers, isEnded, error });
    };
    const timer = setTimeout(() => finish(false), patience);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      try {
        answers = readAnswers(received, isHead);
      } catch (problem) {
        reject(problem);
        socket.destroy();
      }
      if (answers.length >= wanted) finish(false);
    });
    socket.on("end", () => finish(true));
    socket.on("error", (problem: NodeJS.ErrnoException) => {
      error = problem.code;
      finish(true);
    });
    socket.on("connect", async () => {
      for (const piece of typeof pieces === "string" ? [pieces] : pieces) {
        if (socket.destroyed) return;
        if (typeof piece === "number") await sleep(piece);
        else if (typeof piece === "string") socket.write(piece, "latin1");
        else socket.write(piece);
      }
      if (isHalfClosed) socket.end();
    });
  });
}

/** Answers to bytes that are one request are held to what the document says of it; of others nobody knows which answers what. */
function holdToDocument(
  pieces: string | readonly (string | Uint8Array | number)[],
  [answer]: readonly RawAnswer[],
): void {
  const texts = typeof pieces === "string" ? [pieces] : pieces.filter((piece) => typeof piece !== "number");
  const sent = texts
    .map((piece) => (typeof piece === "string" ? piece : Buffer.from(piece).toString("latin1")))
    .join("");
  const lines = [...sent.matchAll(/(?:^|\n)([A-Z]+) (\S+) HTTP\/1\.1\r\n/g)];
  const [, method, target] = lines[0] ?? [];
  if (!answer || lines.length !== 1 || method === undefined || target === undefined) return;
  const { status, headers, text } = answer;
  const path = target.replace(/^https?:\/\/[^/]*/i, "") || "/";
  if (!path.startsWith("/console/") && path !== "/") documentedByFile().check({ method, path, status, headers, text });
}

/** Reads as many whole answers as there are. Throws for bytes that no answer of ours has. */
function readAnswers(bytes: Buffer, isHead: boolean): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) return answers;
    const [first = "", ...lines] = rest.subarray(0, end).toString("latin1").split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) [\x20-\x7e]+$/.exec(first)?.[1]);
    assert.ok(status >= 100, `not a status line: ${first}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const match = /^([!#$%&'*+.^_`|~\w-]+): ?([\x20-\x7e]*)$/.exec(line);
      assert.ok(match, `not a header: ${line}`);
      const name = (match[1] as string).toLowerCase();
      assert.ok(!headers.has(name), `${name} comes twice`);
      headers.set(name, match[2] as string);
    }
    const hasBody = !isHead && status >= 200 && status !== 204;
    const size = hasBody ? Number(headers.get("content-length")) : 0;
    assert.ok(Number.isSafeInteger(size), `an answer ${status} without a length`);
    const start = end + 4;
    if (rest.length < start + size) return answers;
    const text = rest.subarray(start, start + size).toString("utf8");
    rest = rest.subarray(start + size);
    if (status < 200) continue;
    const isJson = /^application\/(?:[\w.]+\+)?json/.test(headers.get("content-type") ?? "application/json");
    answers.push({ status, headers, text, body: text === "" || !isJson ? undefined : JSON.parse(text) });
  }
}

/** A request as it is written. */
export function request(line: string, headers: readonly string[] = [], body = ""): string {
  return `${line} HTTP/1.1\r\n${["Host: localhost", ...headers].map((header) => `${header}\r\n`).join("")}\r\n${body}`;
}

/** A POST of JSON with the right length; the body may be any text, which is sent as UTF-8. */
export function post(path: string, body: unknown, headers: readonly string[] = []): string {
  const text = Buffer.from(typeof body === "string" ? body : JSON.stringify(body)).toString("latin1");
  const own = ["Content-Type: application/json", `Content-Length: ${text.length}`];
  return request(`POST ${path}`, [...own, ...headers], text);
}

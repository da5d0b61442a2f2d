/** Guesses that come all at once: at one account from everywhere, and from one network at every account. Servers count the hashes they have checked. */
import { createWire, type HttpAnswer, type Wire } from "../client.ts";
import type { Violation } from "../history.ts";
import { type Context, onPostgres, onSqlite, PASSWORD, type Report, type Scenario } from "../scenario.ts";
import { CHECKED_HASHES, METRICS_TOKEN, readMetric } from "../server-metrics.ts";
import { startServer } from "../server-process.ts";

const LIMIT = 5;
const ENV = {
  LATCHKEY_LIMITS: "on",
  LATCHKEY_LOGIN_FAILURES: String(LIMIT),
  LATCHKEY_LOGIN_FAILURES_PER_ADDRESS: String(LIMIT),
  NUMBER_OF_PROXIES: "1",
  LATCHKEY_METRICS_TOKENS: METRICS_TOKEN,
};
/** Milliseconds: a thousand at once wait for each other. */
const PATIENCE = 60_000;
const LOGIN = "/v1/users/me/token";
const OWNER = "198.51.100.7";

/** The addresses of strangers, each in a network of its own. */
const strangerAt = (number: number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
/** The addresses of one network. */
const neighbourAt = (number: number) => `2001:db8:7:1::${number.toString(16)}`;

async function guessAtOnce(context: Context, urls: readonly string[]): Promise<Report> {
  const wire = createWire(context.amount, PATIENCE);
  context.onEnd(() => wire.close());
  const violations: Violation[] = [];
  const ada = { username: "ada", password: PASSWORD };
  const at = (number: number) => urls[number % urls.length] as string;
  await expect(201, wire.send("POST", `${at(0)}/v1/users`, { body: { ...ada, email: "ada@example.com" } }));
  await expect(200, wire.send("POST", at(0) + LOGIN, { body: ada, address: OWNER }));
  let requests = 0;

  const rounds: readonly [what: string, guess: (number: number) => Promise<HttpAnswer>][] = [
    ["at one account from everywhere", (n) => guess(wire, at(n), "ada", strangerAt(n))],
    ["at a name that nobody has", (n) => guess(wire, at(n), "nobody", strangerAt(100_000 + n))],
    ["at every account from one network", (n) => guess(wire, at(n), `user${n}`, neighbourAt(n))],
  ];
  for (const [what, ask] of rounds) {
    context.progress(what);
    const before = await hashes(urls);
    const answers = await Promise.all(Array.from({ length: context.amount }, (_, n) => ask(n)));
    requests += answers.length;
    const looked = (await hashes(urls)) - before;
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    if (looked !== LIMIT) violations.push({ promise: "exact", what: `${what}: ${looked} hashes were checked` });
    if (count(401) !== LIMIT || count(429) !== answers.length - LIMIT)
      violations.push({ promise: "exact", what: `${what}: ${count(401)} times 401, ${count(429)} times 429` });
    const hasty = answers.find(({ status, retryAfter }) => status === 429 && !(Number(retryAfter) >= 1));
    if (hasty) violations.push({ promise: "exact", what: `${what}: Retry-After ${hasty.retryAfter}` });
  }
  // Strangers have taken all there is; where she has signed in before she does not wait.
  const owner = await wire.send("POST", at(1) + LOGIN, { body: ada, address: OWNER });
  if (owner.status !== 200) violations.push({ promise: "flood", what: `the owner: ${owner.status}` });
  return { done: requests, requests, granted: 0, unanswered: 0, violations };
}

const guess = (wire: Wire, url: string, username: string, address: string) =>
  wire.send("POST", url + LOGIN, { body: { username, password: "no password of hers" }, address });

async function expect(status: number, answer: Promise<HttpAnswer>): Promise<void> {
  const { status: actual, body } = await answer;
  if (actual !== status) throw new Error(`${actual} ${JSON.stringify(body)}`);
}

async function hashes(urls: readonly string[]): Promise<number> {
  const counts = await Promise.all(urls.map((url) => readMetric(url, CHECKED_HASHES)));
  return counts.reduce((sum, one) => sum + one, 0);
}

const SIZE = { unit: "guesses", full: 1_000, short: 50 } as const;

export const guessesOneProcess: Scenario = {
  title: `guesses at once with a limit of ${LIMIT}, SQLite`,
  ...SIZE,
  run: async (context) => guessAtOnce(context, [(await onSqlite(context, ENV)).url]),
};

export const guessesFourProcesses: Scenario = {
  title: `guesses at once with a limit of ${LIMIT}, 4 processes, SQLite`,
  ...SIZE,
  async run(context) {
    const env = { LATCHKEY_DATA_DIR: context.folder(), ...ENV };
    const servers = await Promise.all(Array.from({ length: 4 }, () => startServer({ env })));
    for (const server of servers) context.onEnd(() => server.kill());
    return guessAtOnce(
      context,
      servers.map(({ url }) => url),
    );
  },
};

const onPostgresWith = (count: number): Pick<Scenario, "run"> => ({
  async run(context) {
    const { servers } = await onPostgres(context, count, ENV);
    return guessAtOnce(
      context,
      servers.map(({ url }) => url),
    );
  },
});

export const guessesPostgres: Scenario = {
  title: `guesses at once with a limit of ${LIMIT}, PostgreSQL`,
  ...SIZE,
  ...onPostgresWith(1),
};

export const guessesPostgresFour: Scenario = {
  title: `guesses at once with a limit of ${LIMIT}, 4 processes, PostgreSQL`,
  ...SIZE,
  ...onPostgresWith(4),
};

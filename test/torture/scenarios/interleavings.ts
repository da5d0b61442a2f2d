/** Rotations against every kind of end, in every order that chance gives: through the engine, two of them over one store, as two processes have it. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Auth, AuthError, createAuth, openPostgres, openSqlite } from "../../../src/index.ts";
import { newAttempt } from "../client.ts";
import type { Operation, Outcome } from "../history.ts";
import { check } from "../history.ts";
import { type Context, PASSWORD, type Report, type Scenario } from "../scenario.ts";
import { SECRET } from "../server-process.ts";

/** A change of password hashes twice: one round in so many ends that way. */
const PASSWORD_ROUNDS = 25;

async function interleave(context: Context, engines: readonly [Auth, Auth]): Promise<Report> {
  const operations: Operation[] = [];
  const [one, other] = engines;
  const name = "ada";
  let password = PASSWORD;
  const { id: userId } = await one.register({ username: name, email: "ada@example.com", password });
  let requests = 0;

  async function record(
    kind: Operation["kind"],
    session: number,
    work: () => Promise<Outcome>,
    more: Partial<Operation> = {},
  ): Promise<Outcome> {
    const started = performance.now();
    let outcome: Outcome;
    try {
      outcome = await work();
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      outcome =
        error.status === 503
          ? { is: "unknown", what: error.code }
          : { is: "refused", status: error.status, code: error.code };
    }
    requests++;
    operations.push({ kind, session, started, ended: performance.now(), outcome, ...more });
    return outcome;
  }

  let login = await one.login({ username: name, password });
  for (let round = 1; round <= context.amount; round++) {
    const { refreshToken } = login;
    let newest = { token: refreshToken, generation: login.generation };
    const accessTokens = [login.accessToken];
    // One attempt id for each token it spends, shared by all its tabs.
    const attempts = new Map<string, string>();
    const attemptFor = (token: string) => {
      const attempt = attempts.get(token) ?? newAttempt();
      attempts.set(token, attempt);
      return attempt;
    };
    const spend = (auth: Auth) =>
      record(
        "refresh",
        round,
        async () => {
          const { token } = newest;
          const answer = await auth.refresh(token, { attempt: attemptFor(token) });
          accessTokens.push(answer.accessToken);
          if (answer.generation > newest.generation)
            newest = { token: answer.refreshToken, generation: answer.generation };
          return { is: "granted", generation: answer.generation, refreshToken: answer.refreshToken };
        },
        { presented: newest.generation },
      );
    const end = () =>
      record("end", round, async () => {
        if (isChange) {
          // From another device: the session that asks is spared.
          const newPassword = `${PASSWORD} ${round}`;
          await one.changePassword(changer, { currentPassword: password, newPassword });
          password = newPassword;
        } else if (round % 3 === 0) await one.logout(refreshToken);
        else if (round % 3 === 1) await other.sessions.endAll(userId);
        else await other.sessions.end(userId, login.sessionId);
        return { is: "done" };
      });
    const isChange = round % PASSWORD_ROUNDS === 0;
    const changer = await one.authenticate(
      isChange ? (await quickLogin(one, name, password, 1)).accessToken : login.accessToken,
    );
    const pause = () => (Math.random() < 0.5 ? Promise.resolve() : sleep(Math.random() * 3));
    await Promise.all([
      pause().then(() => spend(one)),
      pause().then(() => spend(other)),
      pause().then(() => spend(one)),
      pause().then(end),
    ]);
    for (const auth of engines) {
      await record(
        "refresh",
        round,
        async () => {
          const answer = await auth.refresh(newest.token, { attempt: newAttempt() });
          return { is: "granted", generation: answer.generation, refreshToken: answer.refreshToken };
        },
        { presented: newest.generation },
      );
      for (const token of accessTokens) {
        await record("guard", round, async () => {
          await auth.authenticate(token, { freshness: "live" });
          return { is: "done" };
        });
      }
    }
    if (round % 500 === 0) context.progress(`${round} of ${context.amount}`);
    if (round < context.amount) {
      // Epochs are of whoever signs in now.
      login = await quickLogin(one, name, password, round);
    }
  }
  const granted = operations.filter(({ outcome }) => outcome.is === "granted").length;
  const unanswered = operations.filter(({ outcome }) => outcome.is === "unknown").length;
  await Promise.all(engines.map((auth) => auth.close()));
  return { done: context.amount, requests, granted, unanswered, violations: check(operations) };
}

/** Sessions are adopted rather than signed in to: the same rows, and no hash of a password for each of ten thousand. */
async function quickLogin(auth: Auth, username: string, password: string, round: number) {
  if (round % 500 === 0) return auth.login({ username, password });
  const expiresAt = Math.floor(Date.now() / 1000) + 24 * 60 * 60;
  return auth.adopt(`foreign ${round} ${Math.random()}`, { userId: 1, expiresAt, mode: "rotating" });
}

export const interleavedOnSqlite: Scenario = {
  title: "rotate against logout, logout-all and password change, SQLite",
  unit: "interleavings",
  full: 10_000,
  short: 60,
  async run(context) {
    const file = `${context.folder()}/interleaved.db`;
    const options = { secret: SECRET, refreshGrace: "0s" } as const;
    return interleave(context, [
      await createAuth({ ...options, storage: openSqlite(file) }),
      await createAuth({ ...options, storage: openSqlite(file) }),
    ]);
  },
};

export const interleavedOnPostgres: Scenario = {
  title: "rotate against logout, logout-all and password change, PostgreSQL",
  unit: "interleavings",
  full: 10_000,
  short: 60,
  async run(context) {
    const url = await (await context.postgres()).createDatabase();
    const options = { secret: SECRET, refreshGrace: "0s" } as const;
    return interleave(context, [
      await createAuth({ ...options, storage: openPostgres(url) }),
      await createAuth({ ...options, storage: openPostgres(url) }),
    ]);
  },
};

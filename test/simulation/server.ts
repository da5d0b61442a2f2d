/**
 * The server of a history: the real engine over the store under test, in processes that can die.
 * Everything is done by `createAuth`, but for the two things that hash a password at 25 ms each: a login and a change of
 * password are put together here from the same sessions and queries, without the hash.
 */
import { type Auth, createAuth, type Tokens } from "../../src/auth.ts";
import { AuthError } from "../../src/errors.ts";
import { deriveKeys } from "../../src/secrets.ts";
import { createSessions, type Sessions } from "../../src/sessions/sessions.ts";
import * as queries from "../../src/storage/queries.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { System } from "../../src/system.ts";
import { type BrokenRule, type Refresh, rewriteStatements } from "./broken-rules.ts";
import { PROMISED_GRACE } from "./history.ts";
import { createKernel } from "./kernel.ts";
import { createRecording, type Issued, type Operation, type Outcome, type SessionRecord } from "./record.ts";
import { type ProcessLife, type Scope, timeStorage, type World } from "./timed-storage.ts";

export interface ServerOptions {
  readonly storage: Storage;
  /** What to break in the engine. */
  readonly broken?: BrokenRule;
}

export interface Process {
  readonly auth: Auth;
  readonly refresh: Refresh;
  /** Starts a session as `auth.login` does. @throws AuthError `invalid_credentials` for an inactive user. */
  logIn(device: number, operation: Operation): Promise<SessionRecord>;
  /** Changes the password as `auth.changePassword` does. */
  changePassword(session: SessionRecord): Promise<void>;
  readonly life: ProcessLife;
}

export interface Server {
  /** The id of the one user. */
  readonly userId: number;
  readonly isUp: boolean;
  /** What its clock says. */
  now(): number;
  /** Moves the wall clock alone. */
  jump(seconds: number): void;
  /** Begins a history: clocks at zero, a new user, everything else forgotten. */
  begin(world: World): Promise<void>;
  start(): Promise<void>;
  /** Lets the process read the feed, which the engine does every second of the time that histories do not have. */
  poll(): Promise<void>;
  /** @param commits whether the calls to the store that were under way are done. */
  crash(commits: boolean): void;
  /**
   * Serves one request. When the process dies over it there is no answer.
   * @param store how long its calls to the store take.
   */
  serve(
    operation: Operation,
    store: Scope["delays"],
    work: (process: Process) => Promise<Outcome>,
    answer: (outcome: Outcome) => void,
  ): void;
  /** The tokens of an answer as the record knows them. */
  toGranted(tokens: Tokens): Outcome;
  close(): Promise<void>;
}

const SECRET = "Vb7#mQ2x!Lr9$Tz4^Kw8&Hn3*Pf6(Jd1)Gs5-Yc0_Ea";
const BEGINNING = 1_800_000_000;
const ACCESS_TTL = 15 * 60;
const IDLE_TTL = 30 * 24 * 60 * 60;
const MAX_AGE = 90 * 24 * 60 * 60;
const SESSION_LIMIT = 50;
/** Histories that one process may live through: its index remembers the ends of all of them. */
const LONGEST_LIFE = 200;

export function createServer({ storage: given, broken = {} }: ServerOptions): Server {
  const { grace = PROMISED_GRACE } = broken;
  const storage = broken.statements ? rewriteStatements(given, broken.statements) : given;
  let world: World = { kernel: createKernel(), recording: createRecording() };
  let offset = 0;
  let userId = 0;
  let userCount = 0;
  let draws = 0;
  let process: Process | undefined;
  let historyCount = 0;
  const timed = timeStorage(storage, () => world);
  const keys = deriveKeys(SECRET, "refresh-token");
  const adoptKeys = deriveKeys(SECRET, "adopt");

  const system: System = {
    now: () => BEGINNING + world.kernel.now + offset,
    monotonic: () => world.kernel.now * 1000,
    randomBytes(size) {
      const bytes = Buffer.alloc(size);
      if (size >= 8) bytes.writeBigUInt64BE(BigInt(++draws), size - 8);
      return bytes;
    },
  };

  const scopeOf = (life: ProcessLife, operation: Operation | undefined, delays: Scope["delays"]): Scope => ({
    life,
    operation,
    delays,
    callCount: 0,
    isOver: false,
  });

  async function start(): Promise<void> {
    const life: ProcessLife = { isOver: false, underWay: new Set() };
    const scope = scopeOf(life, undefined, []);
    world.kernel.enter();
    const auth = await timed.within(scope, () =>
      createAuth({
        secret: SECRET,
        storage: timed,
        system,
        accessTtl: ACCESS_TTL,
        sessionIdleTtl: IDLE_TTL,
        sessionMaxAge: MAX_AGE,
        refreshGrace: grace,
        sessionLimit: SESSION_LIMIT,
        onEvent(event) {
          if (event.type !== "generation_ahead") return;
          world.recording.aheads.push({ order: world.recording.next(), generation: event.generation });
        },
      }),
    );
    // Its timers go by real time, which histories do not have.
    scope.isOver = true;
    const sessions = createSessions({
      storage: timed,
      system,
      keys,
      adoptKeys,
      accessTtl: ACCESS_TTL,
      grace,
      idleTtl: IDLE_TTL,
      maxAge: MAX_AGE,
      limit: SESSION_LIMIT,
      onEvent: () => {},
      afterEnd: async () => {},
    });
    process = createProcess(auth, sessions, life);
    world.kernel.leave();
  }

  function createProcess(auth: Auth, sessions: Sessions, life: ProcessLife): Process {
    async function readUser() {
      const [row] = await timed.read(queries.userById(userId));
      if (!row || row.deactivated_at !== null) throw new AuthError("invalid_credentials", { reason: "inactive" });
      return row;
    }
    const refresh: Refresh = (token, options) => auth.refresh(token, options);
    return {
      auth,
      refresh: broken.refresh?.(refresh, () => world.recording) ?? refresh,
      life,
      async logIn(device, operation) {
        const { epoch } = await readUser();
        const alongside = [queries.touchLogin(userId, system.now())];
        const grant = await sessions.start({ id: userId, epoch: epoch as number }, {}, { alongside });
        const { recording } = world;
        const number = recording.sessions.length + 1;
        const access = { newest: undefined, longest: undefined };
        const session = { number, device, login: operation, id: grant.sessionId, access } as unknown as SessionRecord;
        session.newest = { text: grant.refreshToken, session, generation: 0 };
        recording.sessions.push(session);
        return session;
      },
      async changePassword(session) {
        const stored = (await readUser()).password as string;
        const written = await timed.write([
          queries.changePassword(userId, stored, `${stored}.`),
          ...sessions.endAllStatements(userId, "password", { except: session.id }),
        ]);
        if (!written) throw new AuthError("wrong_password", { reason: "the password changed at the same moment" });
      },
    };
  }

  return {
    get userId() {
      return userId;
    },
    get isUp() {
      return process !== undefined;
    },
    now: system.now,
    jump(seconds) {
      offset += seconds;
    },

    async begin(next) {
      world = next;
      offset = 0;
      if (historyCount++ % LONGEST_LIFE === 0) {
        await process?.auth.close();
        process = undefined;
      }
      const name = `user${++userCount}`;
      const user = { username: name, usernameKey: name, email: name, emailKey: name, firstName: "", lastName: "" };
      const written = await storage.write([queries.insertUser({ ...user, password: "0", now: system.now() })]);
      userId = written?.[0]?.[0]?.id as number;
      if (!process) await start();
    },

    start,

    async poll() {
      if (!process) return;
      const { auth, life } = process;
      // An end of any kind brings the index up to date: that of a session which is there for nothing else.
      const now = system.now();
      const session = { userId, userEpoch: 0, handleHash: "", mode: "fixed", attempts: "", now } as const;
      const instants = { accessExpiresAt: now, idleExpiresAt: now, absoluteExpiresAt: now };
      const written = await storage.write([
        queries.insertSession({ ...session, ...instants, ip: null, userAgent: null }),
      ]);
      const id = String(written?.[0]?.[0]?.id);
      await timed.within(scopeOf(life, undefined, []), () => auth.sessions.end(userId, id));
    },

    crash(commits) {
      if (!process) return;
      timed.kill(process.life, commits);
      // Stops its timers; the store stays.
      void process.auth.close();
      process = undefined;
    },

    serve(operation, store, work, answer) {
      const { kernel, recording } = world;
      const served = process;
      if (!served) throw new TypeError("the server is down");
      kernel.enter();
      const scope = scopeOf(served.life, operation, store);
      timed
        .within(scope, () => work(served))
        .catch(toRefused)
        .then((outcome) => {
          operation.settled = recording.next();
          operation.settledAt = kernel.now;
          operation.outcome = outcome;
          answer(outcome);
          kernel.leave();
        });
    },

    toGranted({ refreshToken, sessionId, generation, accessToken, expiresIn }) {
      const session = world.recording.sessions.find(({ id }) => String(id) === sessionId) as SessionRecord;
      const token: Issued = { text: refreshToken, session, generation };
      if (generation >= session.newest.generation) session.newest = token;
      const access = { token: accessToken, expiresAt: system.now() + expiresIn };
      session.access.newest = access;
      if (access.expiresAt >= (session.access.longest?.expiresAt ?? 0)) session.access.longest = access;
      return { is: "granted", token, expiresIn };
    },

    async close() {
      await process?.auth.close();
      await storage.close();
    },
  };
}

/** A refusal is an answer; anything else is a defect, which the checker looks for. */
function toRefused(error: unknown): Outcome {
  if (error instanceof AuthError) return { is: "refused", code: error.code, reason: error.reason };
  return { is: "refused", code: "internal", reason: String(error) };
}

/** What every storage driver promises, run against each of them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AuthError } from "../../src/errors.ts";
import * as queries from "../../src/storage/queries.ts";
import { guard, type Storage, sql } from "../../src/storage/storage.ts";

export interface ContractOptions {
  /** A store over a place that is empty at the first call, not migrated. */
  connect(): Storage;
  /** True when every call leads to the same place. */
  readonly isShared: boolean;
}

const NOW = 1_800_000_000;

const newUser = (name: string): queries.NewUser => ({
  username: name,
  usernameKey: name,
  email: `${name}@example.com`,
  emailKey: `${name}@example.com`,
  password: "$argon2id$",
  firstName: "",
  lastName: "",
  now: NOW,
});

const newSession = (userId: number): queries.NewSession => ({
  userId,
  userEpoch: 0,
  handleHash: "h".repeat(43),
  mode: "rotating",
  attempts: "-".repeat(128),
  now: NOW,
  accessExpiresAt: NOW + 900,
  idleExpiresAt: NOW + 1000,
  absoluteExpiresAt: NOW + 2000,
  ip: "198.51.100.1",
  userAgent: "test/1",
});

export const isUnavailable = (error: unknown): boolean =>
  error instanceof AuthError && error.code === "store_unavailable" && error.status === 503;

/** A mistake of the programmer, which must not look like a store that is down. */
const isMistake = (error: unknown): boolean => error instanceof Error && !(error instanceof AuthError);

export function storageContract(name: string, { connect, isShared }: ContractOptions): void {
  describe(`a ${name} store`, () => {
    let storage: Storage;
    const beside: Storage[] = [];
    before(async () => {
      storage = connect();
      if (isShared) beside.push(connect(), connect(), connect());
      await Promise.all([storage, ...beside].map((store) => store.migrate()));
    });
    after(() => Promise.all([storage, ...beside].map((store) => store.close())));

    const insertUser = async (name: string) =>
      (await storage.write([queries.insertUser(newUser(name))]))?.[0]?.[0]?.id as number;
    const head = async () => (await storage.read(queries.feedHead()))[0]?.head as number;

    test("creates its tables once, however often it is asked", async () => {
      const [before] = await storage.read(queries.feedHead());
      await storage.migrate();
      await storage.migrate();
      const after = await storage.read(queries.feedHead());
      assert.equal(after.length, 1);
      assert.equal(after[0]?.store_id, before?.store_id);
      assert.match(before?.store_id as string, /^.{32,}$/);
    });

    test("answers a write with the rows of each statement", async () => {
      const written = await storage.write([
        queries.insertUser(newUser("rows")),
        queries.advanceFeed(),
        sql`update latchkey_feed set head = head + ${2} returning head, head - ${1} as before`,
      ]);
      assert.equal(written?.length, 3);
      assert.equal(written[0]?.[0]?.username, "rows");
      assert.deepEqual(written[1], []);
      assert.deepEqual({ ...written[2]?.[0] }, { head: 3, before: 2 });
    });

    test("gives rows without a prototype, from reads and from writes", async () => {
      const [read] = await storage.read(queries.feedHead());
      const written = await storage.write([sql`update latchkey_feed set head = head + 1 returning *`]);
      assert.equal(Object.getPrototypeOf(read), null);
      assert.equal(Object.getPrototypeOf(written?.[0]?.[0]), null);
      assert.deepEqual(Object.keys(written?.[0]?.[0] ?? {}), ["store_id", "head"]);
    });

    test("keeps whole numbers whole, in what is stored and in what is computed", async () => {
      await storage.write([sql`update latchkey_feed set head = ${7}`]);
      const [row] = await storage.read(
        sql`select (head + ${0}) / ${2} as half, head * ${3} as threefold from latchkey_feed where head = ${7}`,
      );
      assert.deepEqual({ ...row }, { half: 3, threefold: 21 });
      const written = await storage.write([sql`update latchkey_feed set head = (head + ${4}) / ${2} returning head`]);
      assert.equal(written?.[0]?.[0]?.head, 5);
    });

    test("takes and gives every safe integer, and refuses to give a larger one", async () => {
      await storage.write([sql`update latchkey_feed set head = ${Number.MAX_SAFE_INTEGER}`]);
      assert.equal(await head(), Number.MAX_SAFE_INTEGER);
      assert.throws(() => sql`update latchkey_feed set head = ${2 ** 53}`, TypeError);
      const tooLarge = () => sql`update latchkey_feed set head = 9007199254740993 returning head`;
      await assert.rejects(storage.write([queries.advanceFeed(), tooLarge()]), isMistake);
      // Nothing of a refused change stays.
      assert.equal(await head(), Number.MAX_SAFE_INTEGER);
      await storage.write([sql`update latchkey_feed set head = 9007199254740993`]);
      await assert.rejects(storage.read(queries.feedHead()), isMistake);
      await storage.write([sql`update latchkey_feed set head = ${0}`]);
      assert.equal(await head(), 0);
    });

    test("takes text, whole numbers and null, and nothing else", async () => {
      const text = "Ada 🔑 O'Hara \\ \" ; -- ${x} ? $1 \u2028 ﷽";
      const id = await insertUser("text");
      await storage.write([sql`update latchkey_users set first_name = ${text}, email = ${null} where id = ${id}`]);
      const [row] = await storage.read(queries.userById(id));
      assert.equal(row?.first_name, text);
      assert.equal(row?.email, null);
      for (const value of [undefined, 1.5, Number.NaN, true, 10n, new Date(), {}]) {
        assert.throws(() => sql`select ${value as unknown as string}`, TypeError);
      }
    });

    test("a guard that finds nothing undoes the whole change, wherever it stands", async () => {
      const start = await head();
      const bump = () => sql`update latchkey_feed set head = head + 1 returning head`;
      const miss = () => guard`update latchkey_feed set head = 0 where head = ${-1} returning head`;
      const hit = () => guard`update latchkey_feed set head = head + 10 returning head`;
      assert.equal(await storage.write([bump(), miss()]), undefined);
      assert.equal(await storage.write([miss(), bump()]), undefined);
      assert.equal(await storage.write([bump(), hit(), miss(), bump()]), undefined);
      assert.equal(await storage.write([miss()]), undefined);
      assert.equal(await head(), start);
      assert.deepEqual((await storage.write([hit()]))?.[0]?.[0]?.head, start + 10);
      assert.equal((await storage.write([bump(), hit()]))?.length, 2);
    });

    test("a mistake in a change undoes that change and leaves those beside it (checklist 93)", async () => {
      const start = await head();
      const add = (n: number) => storage.write([sql`update latchkey_feed set head = head + ${n}`]);
      await insertUser("taken");
      const settled = await Promise.allSettled([
        add(1),
        storage.write([
          queries.advanceFeed(),
          sql`insert into latchkey_users (username, username_key, password, first_name, last_name, epoch, created_at)
            values ('taken', 'taken', '', '', '', 0, 0)`,
        ]),
        add(10),
        storage.write([sql`insert into latchkey_nothing (x) values (${1})`]),
        add(100),
      ]);
      assert.deepEqual(
        settled.map(({ status }) => status),
        ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"],
      );
      for (const one of settled) if (one.status === "rejected") assert.ok(isMistake(one.reason), String(one.reason));
      assert.equal(await head(), start + 111);
      await assert.rejects(storage.read(sql`select nothing from latchkey_feed`), isMistake);
    });

    test("concurrent changes of one row all count, and each sees the one before it", async () => {
      const start = await head();
      const answers = await Promise.all(
        Array.from({ length: 300 }, () =>
          storage.write([queries.advanceFeed(), sql`select head from latchkey_feed where head > ${0}`]),
        ),
      );
      const seen = answers.map((rows) => rows?.[1]?.[0]?.head as number).sort((a, b) => a - b);
      assert.deepEqual(
        seen,
        Array.from({ length: 300 }, (_, i) => start + i + 1),
      );
    });

    test("of concurrent compare-and-sets exactly one wins (checklist 43)", async () => {
      const id = await insertUser("race");
      const written = await storage.write([queries.insertSession(newSession(id))]);
      const session = written?.[0]?.[0]?.id as number;
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => storage.write([queries.rotateSession(rotation(session, 0))])),
      );
      const winners = answers.flatMap((rows) => rows?.[0] ?? []);
      assert.equal(winners.length, 1);
      assert.deepEqual(
        { ...winners[0] },
        {
          user_id: id,
          user_epoch: 0,
          access_expires_at: NOW + 901,
          rotated_at: NOW,
          idle_expires_at: NOW + 1001,
        },
      );
    });

    test("a read after a write sees it", async () => {
      for (let i = 0; i < 20; i++) {
        const written = await storage.write([sql`update latchkey_feed set head = head + ${1} returning head`]);
        assert.equal(await head(), written?.[0]?.[0]?.head);
      }
    });

    test("an id is never given out twice", async () => {
      const first = await insertUser("first");
      await storage.write([queries.deleteUser(first)]);
      assert.ok((await insertUser("second")) > first);
    });

    test("a conflict that is to be ignored returns no row and fails nothing (checklist 78)", async () => {
      await insertUser("once");
      const written = await storage.write([queries.insertUser(newUser("once")), queries.advanceFeed()]);
      assert.deepEqual(written?.[0], []);
    });

    test("a change of nothing is done at once", async () => {
      assert.deepEqual(await storage.write([]), []);
    });

    test("understands every query of the engine", async () => {
      const user = await insertUser("query");
      const inserted = await storage.write([queries.insertSession(newSession(user))]);
      const id = inserted?.[0]?.[0]?.id as number;
      const origin = { ip: null, userAgent: null };
      const handleHash = "h".repeat(43);
      const first = async (...statements: Parameters<Storage["write"]>[0]) =>
        (await storage.write(statements))?.[0]?.[0];

      assert.equal((await storage.read(queries.userByUsername("query")))[0]?.id, user);
      assert.equal((await storage.read(queries.userByEmail("query@example.com")))[0]?.id, user);
      assert.equal((await storage.read(queries.usersTaking("query", "nobody"))).length, 1);
      await storage.write([queries.touchLogin(user, NOW), queries.rehashPassword(user, "$argon2id$", "$new$")]);
      assert.equal((await first(queries.rotateSession(rotation(id, 0))))?.access_expires_at, NOW + 901);
      assert.equal((await first(queries.useSession(id, 1, NOW, NOW + 950, origin)))?.access_expires_at, NOW + 950);
      const [row] = await storage.read(queries.sessionByHandle(id, handleHash));
      assert.equal(row?.generation, 1);
      assert.equal(row?.current_epoch, 0);
      assert.equal(row?.attempts, "a".repeat(32) + "-".repeat(96));
      assert.equal((await storage.read(queries.sessionStanding(id)))[0]?.user_id, user);
      assert.equal((await storage.read(queries.liveSessions(user, NOW))).length, 1);

      assert.equal((await first(queries.changePassword(user, "$new$", "$newer$")))?.epoch, 1);
      await storage.write([queries.carrySession(user, id)]);
      assert.equal((await storage.read(queries.liveSessions(user, NOW))).length, 1);
      const ended = await storage.write([
        queries.endSession(id, handleHash, -1, "logout", NOW),
        queries.advanceFeed(),
        queries.feedSession(id, NOW + 900, NOW),
      ]);
      assert.equal(ended?.[0]?.[0]?.user_id, user);
      const position = await head();
      const [entry] = await storage.read(queries.feedSince(position - 1));
      assert.equal(entry?.session_id, id);
      assert.equal(entry?.expires_at, NOW + 950 + queries.FEED_SLACK);
      // As after a restore from a backup, which knows only of older access tokens.
      await storage.write([queries.advanceFeed(), queries.feedSession(id, NOW + 2000, NOW)]);
      const [later] = await storage.read(queries.feedSince(position));
      assert.equal(later?.expires_at, NOW + 2000 + queries.FEED_SLACK);

      await storage.write([queries.insertSession({ ...newSession(user), userEpoch: 1 })]);
      const all = await storage.write([
        queries.bumpEpoch(user),
        queries.endSessionsOf(user, 0, "all", NOW),
        queries.advanceFeed(),
        queries.feedUser(user, null, "ended", NOW + 1, NOW),
        queries.advanceFeed(),
        queries.feedUser(user, id, "inactive", NOW + 1, NOW),
      ]);
      assert.equal(all?.[0]?.[0]?.epoch, 2);
      const entries = await storage.read(queries.feedSince(position + 1));
      assert.deepEqual(
        entries.map((e) => [e.user_id, e.epoch, e.except_session_id]),
        [
          [user, 2, null],
          [user, 2, id],
        ],
      );
      assert.equal(await storage.write([queries.endSessionOf(user, id, "ended", NOW)]), undefined);
      assert.equal((await first(queries.deactivateUser(user, NOW)))?.epoch, 3);
      assert.equal((await first(queries.reactivateUser(user)))?.id, user);
      assert.equal((await first(queries.deleteUser(user)))?.id, user);
      assert.equal((await storage.read(queries.sessionStanding(id)))[0]?.current_epoch, null);
    });

    if (isShared) {
      test("several that start at once on an empty place all come up, with one id (checklist 102)", async () => {
        const ids = await Promise.all([storage, ...beside].map((store) => store.read(queries.feedHead())));
        assert.equal(new Set(ids.map((rows) => rows[0]?.store_id)).size, 1);
        assert.ok(ids.every((rows) => rows.length === 1));
      });

      test("sees what another instance has written", async () => {
        const written = await beside[0]?.write([sql`update latchkey_feed set head = head + ${1} returning head`]);
        assert.equal(await head(), written?.[0]?.[0]?.head);
      });

      test("closing finishes what was accepted and refuses what comes later", async () => {
        const other = connect();
        await other.migrate();
        const start = await head();
        const writes = Array.from({ length: 50 }, () => other.write([queries.advanceFeed()]));
        const closed = other.close();
        await assert.rejects(other.write([queries.advanceFeed()]), isUnavailable);
        await assert.rejects(other.read(queries.feedHead()), isUnavailable);
        await Promise.all(writes);
        await closed;
        await other.close();
        assert.equal(await head(), start + 50);
      });
    }
  });
}

function rotation(id: number, from: number): queries.Rotation {
  return {
    id,
    handleHash: "h".repeat(43),
    from,
    to: from + 1,
    rotatedBefore: NOW + 1,
    attempt: "a".repeat(32),
    noAttempt: "-".repeat(32),
    now: NOW,
    accessExpiresAt: NOW + 901,
    idleExpiresAt: NOW + 1001,
    ip: null,
    userAgent: null,
  };
}

/** What the PostgreSQL store does when the server or the way to it fails; the server is a real one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import postgres from "postgres";
import { AuthError } from "../../src/errors.ts";
import { StorageOpenError } from "../../src/storage/open-error.ts";
import { openPostgres, type PostgresOptions } from "../../src/storage/postgres.ts";
import { advanceFeed, feedHead } from "../../src/storage/queries.ts";
import { type Storage, sql } from "../../src/storage/storage.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { isUnavailable } from "./contract.ts";

let server: PostgresServer;
let url: string;
const stores: Storage[] = [];
before(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
});
afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));
after(() => server.stop());

async function open(options: PostgresOptions = {}, database = url): Promise<Storage> {
  const storage = openPostgres(database, { statementTimeout: 500, connectTimeout: 1_000, ...options });
  stores.push(storage);
  await storage.migrate();
  return storage;
}

/** A client beside ours, for the part of somebody else. */
async function withClient<T>(work: (client: postgres.Sql) => Promise<T>): Promise<T> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(client);
  } finally {
    await client.end({ timeout: 1 });
  }
}

const add = (storage: Storage, n: number) => storage.write([sql`update latchkey_feed set head = head + ${n}`]);
const head = async (storage: Storage) => (await storage.read(feedHead()))[0]?.head as number;

/** Tries until the store is back. @returns the milliseconds it took. */
async function untilBack(storage: Storage): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < 10_000) {
    try {
      await head(storage);
      return performance.now() - start;
    } catch (error) {
      assert.ok(isUnavailable(error), String(error));
      await sleep(20);
    }
  }
  throw new Error("the store did not come back in 10 s");
}

describe("a server that can't be used is one sentence that does not show the password (checklist 89)", () => {
  const PASSWORD = "s3cret-of-the-test";

  async function assertRefused(address: string, sentence: RegExp): Promise<void> {
    const refuse = async () => {
      const storage = openPostgres(address, { connectTimeout: 1_000 });
      try {
        await storage.migrate();
      } finally {
        await storage.close();
      }
    };
    await assert.rejects(refuse, (error: unknown) => {
      assert.ok(error instanceof StorageOpenError, inspect(error));
      assert.match(error.message, sentence);
      assert.doesNotMatch(error.message, /\n/);
      assert.ok(!inspect(error, { depth: 5, showHidden: true }).includes(PASSWORD));
      return true;
    });
  }
  const changed = (change: (address: URL) => void) => {
    const address = new URL(url);
    address.password = PASSWORD;
    change(address);
    return address.href;
  };

  test("an unknown host", () =>
    assertRefused(
      changed((address) => {
        address.hostname = "no-such-host.invalid";
      }),
      /^The database server no-such-host\.invalid can't be (found|looked up): check the host in DATABASE_URL/,
    ));

  test("a port where nobody listens", () =>
    assertRefused(
      changed((address) => {
        address.port = "1";
      }),
      /^The database server .*:1 does not accept connections: start it, or check the host and port in DATABASE_URL\.$/,
    ));

  test("a server that says nothing", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    await assertRefused(
      changed((address) => {
        address.host = `127.0.0.1:${port}`;
      }),
      /^The database server 127\.0\.0\.1:\d+ does not answer: /,
    );
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test("a wrong password", { skip: process.env.DATABASE_URL !== undefined }, () =>
    assertRefused(
      changed(() => {}),
      /^The database server .* refused the password of user postgres: check the user and password in DATABASE_URL\.$/,
    ),
  );

  test("a database that is not there", () => {
    const address = new URL(url);
    address.pathname = "/no_such_database";
    return assertRefused(address.href, /^The database server .* has no database no_such_database: create it, or check/);
  });

  test("a user who may not create tables", { skip: process.env.DATABASE_URL !== undefined }, async () => {
    await withClient((client) => client.unsafe(`create role guest login password '${PASSWORD}'`));
    await assertRefused(
      changed((address) => {
        address.username = "guest";
      }),
      /^User guest may not create tables in database latchkey_test_\w+ on .*: grant it CREATE on the schema\.$/,
    );
  });

  test("a URL that can't be read", () =>
    assertRefused(
      `mysql://ada:${PASSWORD}@localhost/x`,
      /^DATABASE_URL can't be read: write it as postgres:\/\/user:/,
    ));
});

test("a kill of the whole server fails what was under way with 503, loses nothing acknowledged, and heals", {
  skip: !process.getuid || process.env.DATABASE_URL !== undefined,
}, async () => {
  const storage = await open();
  const start = await head(storage);
  let acknowledged = 0;
  let failed = 0;
  let isOver = false;
  const writers = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      try {
        await add(storage, 1);
        acknowledged++;
      } catch (error) {
        assert.ok(isUnavailable(error), inspect(error));
        failed++;
        await sleep(20);
      }
    }
  });
  let milliseconds = 0;
  try {
    await sleep(150);
    await server.process?.kill();
    await assert.rejects(add(storage, 1), isUnavailable);
    await server.process?.start();
    milliseconds = await untilBack(storage);
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
  assert.ok(acknowledged > 20 && failed > 0, `${acknowledged} acknowledged, ${failed} failed`);
  // A write whose answer was lost may have happened.
  const counted = (await head(storage)) - start;
  assert.ok(counted >= acknowledged && counted <= acknowledged + failed + 1);
  assert.ok(milliseconds < 2_000, `back after ${milliseconds} ms`);
});

test("a server that freezes is 503 after the deadline, not before and not much later, and heals when it goes on", {
  skip: process.platform !== "linux" || process.env.DATABASE_URL !== undefined,
}, async () => {
  const storage = await open({ statementTimeout: 300 });
  await Promise.all(Array.from({ length: 20 }, () => head(storage)));
  server.process?.signal("SIGSTOP");
  try {
    const start = performance.now();
    const settled = await Promise.allSettled([
      ...Array.from({ length: 30 }, () => head(storage)),
      ...Array.from({ length: 10 }, () => add(storage, 1)),
    ]);
    const waited = performance.now() - start;
    assert.ok(waited > 1_200 && waited < 2_000, `${waited} ms`);
    for (const one of settled) assert.ok(one.status === "rejected" && isUnavailable(one.reason), inspect(one));
    // New ones wait no longer than those before them.
    await assert.rejects(head(storage), isUnavailable);
  } finally {
    server.process?.signal("SIGCONT");
  }
  assert.ok((await untilBack(storage)) < 2_000);
});

test("a row that somebody else has locked is 503 when its time is over, and its connection goes on", async () => {
  const storage = await open({ connectionCount: 1, statementTimeout: 300 });
  await withClient(async (client) => {
    await client.begin(async (transaction) => {
      await transaction`update latchkey_feed set head = head`;
      const start = performance.now();
      await assert.rejects(add(storage, 1), (error: unknown) => {
        assert.ok(error instanceof AuthError && isUnavailable(error));
        assert.match(error.reason, /statement timeout \(57014\)/);
        return true;
      });
      assert.ok(performance.now() - start < 900);
      assert.equal(typeof (await head(storage)), "number");
    });
  });
  await add(storage, 1);
});

test("a database that takes no writes is 503", async () => {
  const database = await server.createDatabase();
  await (await open({}, database)).close();
  const name = new URL(database).pathname.slice(1);
  await withClient((client) => client.unsafe(`alter database ${name} set default_transaction_read_only = on`));
  const storage = await open({}, database);
  await assert.rejects(add(storage, 1), isUnavailable);
  assert.equal(await head(storage), 0);
});

test("changes that deadlock are tried again, and both happen", async () => {
  const storage = await open({ statementTimeout: 5_000 });
  for (const name of ["a", "b"]) {
    await storage.write([
      sql`insert into latchkey_users (username, username_key, password, first_name, last_name, epoch, created_at)
        values (${name}, ${`deadlock ${name}`}, '', '', '', 0, 0)`,
    ]);
  }
  const bump = (name: string) =>
    sql`update latchkey_users set epoch = epoch + 1 where username_key = ${`deadlock ${name}`}`;
  const pause = () => sql`select pg_sleep(0.1) is null as slept`;
  await Promise.all([storage.write([bump("a"), pause(), bump("b")]), storage.write([bump("b"), pause(), bump("a")])]);
  const rows = await storage.read(sql`select epoch from latchkey_users where username_key like 'deadlock %'`);
  assert.deepEqual(
    rows.map(({ epoch }) => epoch),
    [2, 2],
  );
});

test("a column that a newer release adds while this one runs shows up in new rows (checklist 102)", async () => {
  const storage = await open({ connectionCount: 2 });
  const bump = () => sql`update latchkey_feed set head = head + 1 returning *`;
  const look = () => storage.read(sql`select * from latchkey_feed`);
  await Promise.all([storage.write([bump()]), storage.write([bump(), bump()]), look(), look()]);
  await withClient((client) => client`alter table latchkey_feed add column later text default 'new'`);
  for (const rows of await Promise.all([storage.write([bump()]), storage.write([bump(), bump()])])) {
    assert.equal(rows?.[0]?.[0]?.later, "new");
  }
  assert.equal((await look())[0]?.later, "new");
  await withClient((client) => client`alter table latchkey_feed drop column later`);
});

test("an end on one instance wakes the others, also after their connection was lost (checklist 55)", async () => {
  const [writer, reader] = [await open(), await open()];
  let wakings = 0;
  const stop = reader.watch?.(() => {
    wakings++;
  });
  const untilWoken = async (change: () => Promise<unknown>, limit: number) => {
    const before = wakings;
    await change();
    const start = performance.now();
    while (wakings === before && performance.now() - start < limit) await sleep(2);
    return { isWoken: wakings > before, milliseconds: performance.now() - start };
  };
  assert.ok((await untilWoken(async () => {}, 2_000)).isWoken, "once it listens it looks");
  const { isWoken, milliseconds } = await untilWoken(() => writer.write([advanceFeed()]), 1_000);
  assert.ok(isWoken && milliseconds < 100, `${milliseconds} ms`);

  await withClient(
    (client) => client`
      select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen latchkey_feed' and datname = current_database()`,
  );
  assert.ok((await untilWoken(async () => {}, 3_000)).isWoken, "it listens again, and looks for what it missed");
  assert.ok((await untilWoken(() => writer.write([advanceFeed()]), 1_000)).isWoken);

  stop?.();
  await sleep(50);
  assert.equal((await untilWoken(() => writer.write([advanceFeed()]), 200)).isWoken, false);
});

test("a commit is synced whatever the server's default is", async () => {
  const database = await server.createDatabase();
  const name = new URL(database).pathname.slice(1);
  await withClient((client) => client.unsafe(`alter database ${name} set synchronous_commit = off`));
  const storage = await open({}, database);
  const [row] = await storage.read(sql`select current_setting('synchronous_commit') as setting`);
  assert.equal(row?.setting, "on");
});

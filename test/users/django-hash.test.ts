import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import * as queries from "../../src/storage/queries.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { sql } from "../../src/storage/storage.ts";
import { nodeArgon2 } from "../../src/users/argon2.ts";
import { makeDjangoHash, readDjangoHash } from "../../src/users/django-hash.ts";
import { createPasswordHasher } from "../../src/users/password-hash.ts";
import { createEngine } from "../support/engine.ts";
import { fakeSystem } from "../support/fake-system.ts";

const vectors = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));
const given = vectors("django-hash-vectors.json") as { password: string; vectors: string[] };
const own = vectors("django-hashes-of-our-own.json") as {
  accepted: { password: string; hash: string }[];
  refused: string[];
};

const CHEAP = { memory: 1024, passes: 1, parallelism: 1 };
const PBKDF2 = given.vectors[1] as string;

const hasherOf = (options: Partial<Parameters<typeof createPasswordHasher>[0]> = {}) =>
  createPasswordHasher({ system: fakeSystem(), parameters: CHEAP, concurrency: 2, ...options });

test("every hash that Django 5.2 made verifies with its password and with no other, but for md5", async () => {
  const hasher = hasherOf();
  const verdicts = await Promise.all(given.vectors.map((hash) => hasher.verify(given.password, hash)));
  const expected = given.vectors.map((hash) => !hash.startsWith("md5$"));
  assert.deepEqual(verdicts, expected);
  assert.ok(expected.filter(Boolean).length >= 13);
  const isCheap = (hash: string) => /^pbkdf2_\w+\$1000\$|^scrypt\$1024|^bcrypt/.test(hash);
  for (const hash of given.vectors.filter(isCheap)) {
    assert.equal(await readDjangoHash(hash)?.matches(`${given.password} `), false, hash);
  }
});

test("so do hashes of long, empty, unnormalised and odd passwords, in every format", async () => {
  for (const { password, hash } of own.accepted) {
    const known = readDjangoHash(hash);
    assert.equal(await known?.matches(password), true, hash);
    if (hash.includes("$1000$") || /\$5\d{3}\$|m=512/.test(hash))
      assert.equal(await known?.matches(`${password}x`), false, hash);
  }
});

test("an unusable password, an unknown algorithm and a hash without algorithm verify nothing", async () => {
  const hasher = hasherOf();
  for (const stored of [
    ...own.refused,
    "",
    "!",
    "$",
    "plain text",
    "constructor$1$a$b",
    "__proto__$1$a$b",
    "sha1$salt$abc",
  ]) {
    assert.equal(readDjangoHash(stored), undefined, stored);
    for (const password of ["", "!", "correct horse battery", stored]) {
      assert.equal(await hasher.verify(password, stored), false, stored);
    }
    assert.equal(hasher.wantsRehash(stored), false);
  }
});

test("no scrypt hash is read that OpenSSL would refuse to compute", async () => {
  const digest = Buffer.alloc(64).toString("base64");
  for (const cost of ["65536$salt$1$1", "131072$salt$1$1", "1$salt$8$1", "1000$salt$8$1"])
    assert.equal(readDjangoHash(`scrypt$${cost}$${digest}`), undefined, cost);
  for (const cost of ["2$salt$1$1", "32768$salt$1$1", "65536$salt$2$1", "2$salt$99$99"])
    assert.equal(await readDjangoHash(`scrypt$${cost}$${digest}`)?.matches("a password"), false, cost);
});

test("a hash that was cut short anywhere, or whose base64 has a second spelling, verifies nothing", () => {
  const whole = [
    PBKDF2,
    ...["pbkdf2_sha1", "scrypt$1024", "bcrypt$", "bcrypt_sha256$"].map(
      (start) => given.vectors.find((hash) => hash.startsWith(start)) as string,
    ),
  ];
  for (const hash of whole) {
    for (let length = 0; length < hash.length; length++) {
      assert.equal(readDjangoHash(hash.slice(0, length)), undefined, `${length} of ${hash}`);
    }
    assert.equal(readDjangoHash(`${hash}A`), undefined);
    assert.equal(readDjangoHash(`${hash}\n`), undefined);
    assert.equal(readDjangoHash(` ${hash}`), undefined);
  }
  // 32 bytes leave two spare bits in the last character.
  assert.equal(readDjangoHash(PBKDF2.replace(/.=$/, (end) => `${end === "I=" ? "J" : "I"}=`)), undefined);
});

test("costs that no Django writes are not worked off: they were put there to occupy us", async () => {
  const digest = PBKDF2.split("$")[3];
  const scryptDigest = (given.vectors.find((hash) => hash.startsWith("scrypt")) as string).split("$")[5];
  const absurd = [
    ...["0", "-1", "1e9", "5000001", "999999999", "99999999999999999999", "0x10", "01000", "", " 1000", "NaN"].map(
      (iterations) => `pbkdf2_sha256$${iterations}$NaCl$${digest}`,
    ),
    ...["0$s$8$5", "1$s$8$5", "16383$s$8$5", "67108864$s$8$1", "1048576$s$99$99", "16384$s$0$5", "16384$s$8$0"].map(
      (parameters) => `scrypt$${parameters}$${scryptDigest}`,
    ),
    ...[
      "m=4194304,t=2,p=8",
      "m=102400,t=999,p=8",
      "m=102400,t=2,p=99",
      "m=8,t=0,p=1",
      "m=8,t=1,p=0",
      "m=15,t=1,p=2",
    ].map(
      (parameters) =>
        `argon2$argon2id$v=19$${parameters}$TmFDbE5hQ2xOYUNsTmFDbE5hQ2xOYQ$2BpEDKsgiRROmq90MqfjpkXF89XvXmDRVrWZfgRyFkw`,
    ),
    ...["03", "16", "31", "99"].map(
      (cost) => `bcrypt$$2b$${cost}$abcdefghijklmnopqrstuu9suszgp5xirRHQg7Vs8Kh33tRXUVQci`,
    ),
    `pbkdf2_sha256$1000$${"s".repeat(500)}$${digest}`,
  ];
  for (const hash of absurd) assert.equal(readDjangoHash(hash), undefined, hash);
  const started = performance.now();
  const hasher = hasherOf();
  for (const hash of absurd) assert.equal(await hasher.verify("x", hash), false);
  // All of them together: one that was worked off would take longer, or all memory.
  assert.ok(performance.now() - started < 20_000);
});

test("bcrypt refuses a password of which it would look at the first 72 bytes only (checklist 68)", async () => {
  const { hash } = own.accepted.find(
    ({ hash, password }) => hash.startsWith("bcrypt$") && password === "x".repeat(72),
  ) as {
    hash: string;
  };
  assert.equal(await readDjangoHash(hash)?.matches("x".repeat(72)), true);
  assert.equal(await readDjangoHash(hash)?.matches("x".repeat(73)), false);
});

test("Node's own argon2i is the binary's", async () => {
  const salt = Buffer.from("somesaltsomesalt0");
  const { hash, password } = own.accepted.find(({ hash }) =>
    hash.startsWith("argon2$argon2i$"),
  ) as (typeof own.accepted)[0];
  const size = Buffer.from(hash.split("$").at(-1) as string, "base64").length;
  const tag = await nodeArgon2(password, salt, { memory: 512, passes: 1, parallelism: 1 }, { type: "argon2i", size });
  assert.equal(hash.endsWith(Buffer.from(tag).toString("base64").replace(/=+$/, "")), true);
});

test("a hash of Django's wants to be ours after a login, and one of ours Django's where Django reads the rows", () => {
  const ours = hasherOf();
  for (const { hash } of own.accepted) assert.equal(ours.wantsRehash(hash), true, hash);
  const djangos = hasherOf({ format: { format: "django", iterations: 600_000 } });
  const wants = (start: string) =>
    djangos.wantsRehash(
      [...given.vectors, ...own.accepted.map(({ hash }) => hash)].find((hash) => hash.startsWith(start)) as string,
    );
  assert.equal(wants("pbkdf2_sha256$260000$"), true);
  assert.equal(wants("pbkdf2_sha256$600000$"), false);
  // Django 6.1's, on rows that both write: never made weaker, never sent to and fro.
  assert.equal(wants("pbkdf2_sha256$1500000$"), false);
  assert.equal(wants("pbkdf2_sha1$"), true);
  assert.equal(wants("argon2$argon2id$"), false);
  assert.equal(wants("argon2$argon2i$"), true);
  assert.equal(
    djangos.wantsRehash("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdA"),
    true,
  );
});

test("a format that there is not is refused when the hasher is made, with what there is", () => {
  for (const format of [
    "md5",
    "",
    null,
    5,
    { format: "django" },
    { format: "django", iterations: 1000 },
    { format: "django", iterations: 1e12 },
  ]) {
    assert.throws(() => hasherOf({ format: format as never }), {
      name: "TypeError",
      message: /passwordFormat must be/,
    });
  }
});

test("what we write for Django has Django's shape, a salt of 128 bits, and verifies", async () => {
  const { randomBytes } = fakeSystem();
  const salts = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const hash = await makeDjangoHash("pässwörd🔑", { iterations: 1000, randomBytes });
    assert.match(hash, /^pbkdf2_sha256\$1000\$[a-zA-Z0-9]{22}\$[A-Za-z0-9+/]{43}=$/);
    assert.ok(hash.length <= 128);
    salts.add(hash.split("$")[2] as string);
    assert.equal(await readDjangoHash(hash)?.matches("pässwörd🔑"), true);
  }
  assert.equal(salts.size, 50);
});

test("a failed login does the work of every kind of hash that was met, so that its time tells nothing (checklist 70)", async () => {
  const hasher = hasherOf();
  /** How many hashes are made on other threads; those of the addon have no name. */
  const runs = async (work: () => Promise<boolean>) => {
    let count = 0;
    const hook = createHook({
      init(_id, type) {
        if (["PBKDF2REQUEST", "ARGON2REQUEST", "undefined"].includes(String(type))) count++;
      },
    }).enable();
    assert.equal(await work(), false);
    hook.disable();
    return count;
  };
  const phc = await hasher.hash("one of ours");
  assert.equal(await runs(() => hasher.verifyNobody("x")), 1);
  assert.equal(await runs(() => hasher.verify("x", PBKDF2)), 2);
  assert.equal(await runs(() => hasher.verify("x", phc)), 2);
  assert.equal(await runs(() => hasher.verifyNobody("x")), 2);
  assert.equal(await runs(() => hasher.verify("x", "!unusable")), 2);
});

describe("at login", () => {
  const user = (id: number, password: string) => sql`
    insert into latchkey_users (username, username_key, email, email_key, password, epoch, created_at)
    values (${`user${id}`}, ${`user${id}`}, ${`user${id}@example.com`}, ${`user${id}@example.com`}, ${password}, 0, 1)`;

  test("an imported hash signs in at once and is argon2id afterwards", async () => {
    const { auth, storage } = await createEngine({ storage: openSqlite(":memory:") });
    await storage.write([user(1, PBKDF2), user(2, "!unusable")]);
    await auth.login({ username: "user1", password: given.password });
    const [row] = await storage.read(queries.userById(1));
    assert.match(row?.password as string, /^\$argon2id\$/);
    await auth.login({ username: "user1", password: given.password });
    await assert.rejects(auth.login({ username: "user2", password: "!unusable" }), { code: "invalid_credentials" });
    await auth.close();
  });

  test("an unknown user costs what an imported one does, from the first attempt on (checklist 70)", async () => {
    const storage = openSqlite(":memory:");
    await storage.migrate();
    await storage.write([user(1, given.vectors.find((hash) => hash.startsWith("pbkdf2_sha256$1000000$")) as string)]);
    const { auth } = await createEngine({ storage });
    const cost = async (username: string) => {
      const started = performance.now();
      await assert.rejects(auth.login({ username, password: "wrong" }), { code: "invalid_credentials" });
      return performance.now() - started;
    };
    const [unknown, known] = [await cost("nobody"), await cost("user1")];
    // Without its work the one would cost a tenth of the other.
    assert.ok(unknown > known / 3, `${unknown} ms and ${known} ms`);
    await auth.close();
  });

  test("with passwordFormat 'django' hashes stay such that Django reads them", async () => {
    const { auth, storage } = await createEngine({
      storage: openSqlite(":memory:"),
      passwordFormat: { format: "django", iterations: 100_000 },
    });
    const strong = given.vectors[2] as string;
    await storage.write([user(1, PBKDF2), user(2, strong)]);
    for (const username of ["user1", "user2"]) await auth.login({ username, password: given.password });
    const passwordOf = async (id: number) => (await storage.read(queries.userById(id)))[0]?.password as string;
    assert.match(await passwordOf(1), /^pbkdf2_sha256\$100000\$/);
    assert.equal(await passwordOf(2), strong);
    await auth.register({ username: "ada", email: "ada@example.com", password: "correct horse battery" });
    assert.match(await passwordOf(3), /^pbkdf2_sha256\$100000\$/);
    await auth.close();
  });
});

const DJANGO = `
import json, sys
from django.conf import settings
settings.configure()
from django.contrib.auth.hashers import check_password, must_update_salt, get_hasher
hash = sys.stdin.read()
hasher = get_hasher("pbkdf2_sha256")
print(json.dumps([check_password("p\\u00e4ssw\\u00f6rd\\U0001f511", hash), check_password("wrong", hash), must_update_salt(hasher.decode(hash)["salt"], hasher.salt_entropy)]))`;

test("Django itself checks what we write for it", async (t) => {
  try {
    execFileSync("/usr/bin/python3", ["-c", "import django"], { stdio: "ignore" });
  } catch {
    t.skip("python3-django is not installed");
    return;
  }
  const hash = await makeDjangoHash("pässwörd🔑", { iterations: 100_000, randomBytes: fakeSystem().randomBytes });
  const answer = execFileSync("/usr/bin/python3", ["-c", DJANGO], { input: hash, encoding: "utf8" });
  assert.deepEqual(JSON.parse(answer), [true, false, false]);
});

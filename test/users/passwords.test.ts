import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeArgon2 } from "../../src/users/argon2.ts";
import { createGate } from "../../src/users/gate.ts";
import { createPasswordHasher } from "../../src/users/password-hash.ts";
import { passwordProblem, passwordShapeProblem } from "../../src/users/password-rules.ts";
import { fakeSystem } from "../support/fake-system.ts";

const CHEAP = { memory: 1024, passes: 1, parallelism: 1 };

test("the most common passwords are refused, in any case (checklist 67)", async () => {
  for (const password of [
    "password",
    "PASSWORD",
    "12345678",
    "password1",
    "qwertyuiop",
    "iloveyou",
    "trustno1",
    "sunshine",
  ]) {
    assert.match((await passwordProblem(password)) ?? "accepted", /most common/, password);
  }
});

test("eight characters will do, of any kind, and there is no other rule (checklist 66)", async () => {
  for (const password of [
    "xkqzvbnw",
    "ααββγγδδ",
    "🗝🗝🗝🗝🗝🗝🗝🗝",
    "a b c d e",
    "9384756201".slice(0, 9),
    `${"y".repeat(64)}z`,
    `${"k".repeat(1023)}q`,
  ]) {
    assert.equal(await passwordProblem(password), undefined, password);
  }
  for (const short of ["", "xkqzvbn", "🗝🗝🗝🗝", "é".repeat(7)])
    assert.match((await passwordProblem(short)) ?? "accepted", /at least 8/);
});

test("a password over 1,024 bytes is refused before it is hashed, and so is one that is no Unicode (checklist 69)", async () => {
  assert.match(passwordShapeProblem("ü".repeat(513)) ?? "", /at most 1024 bytes/);
  assert.match(passwordShapeProblem("x\ud800") ?? "", /well-formed/);
  assert.equal(passwordShapeProblem("ü".repeat(512)), undefined);
});

test("a password that is the username or the email is refused", async () => {
  const who = { username: "AdaLovelace", email: "ada@example.com" };
  assert.match((await passwordProblem("adalovelace", who)) ?? "accepted", /username or email/);
  assert.match((await passwordProblem("ADA@example.com", who)) ?? "accepted", /username or email/);
});

test("the native binary and Node's own argon2id give the same hash, so either can check what the other made", async () => {
  const salt = Buffer.from("somesaltsomesalt");
  const parameters = { memory: 19_456, passes: 2, parallelism: 1 };
  const own = Buffer.from(await nodeArgon2("password", salt, parameters, { type: "argon2id", size: 32 }))
    .toString("base64")
    .replace(/=+$/, "");
  const hasher = createPasswordHasher({ system: fakeSystem() });
  const phc = `$argon2id$v=19$m=19456,t=2,p=1$${salt.toString("base64").replace(/=+$/, "")}$${own}`;
  assert.equal(await hasher.verify("password", phc), true);
  assert.equal(await hasher.verify("Password", phc), false);
  assert.equal(hasher.wantsRehash(phc), false);
});

test("a hash is a PHC string with OWASP's parameters and a salt of its own (checklist 68)", async () => {
  const hasher = createPasswordHasher({ system: fakeSystem() });
  const [one, two] = [await hasher.hash("pässwörd🔑"), await hasher.hash("pässwörd🔑")];
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(one, two);
  assert.equal(await hasher.verify("pässwörd🔑", two), true);
});

test("other parameters verify and want to be made anew", async () => {
  const system = fakeSystem();
  const old = await createPasswordHasher({ system, parameters: CHEAP }).hash("a password");
  const hasher = createPasswordHasher({ system });
  assert.equal(await hasher.verify("a password", old), true);
  assert.equal(hasher.wantsRehash(old), true);
});

test("strings that are no hash, or one with absurd parameters, never verify, at the cost of a real hash (checklist 70)", async () => {
  let runs = 0;
  const hasher = createPasswordHasher({ system: fakeSystem(), parameters: CHEAP });
  const { run } = hasher.gate;
  const counting = (work: () => Promise<unknown>) => {
    runs++;
    return run(work);
  };
  Object.assign(hasher.gate, { run: counting });
  const salt = "c29tZXNhbHQxMjM0NTY3OA";
  const strings = [
    "",
    "!unusable",
    "password",
    `$argon2id$v=19$m=4194304,t=2,p=1$${salt}$${"A".repeat(43)}`,
    `$argon2id$v=19$m=1024,t=999,p=1$${salt}$${"A".repeat(43)}`,
    `$argon2id$v=19$m=8,t=0,p=1$${salt}$${"A".repeat(43)}`,
    `$argon2i$v=19$m=1024,t=1,p=1$${salt}$${"A".repeat(43)}`,
    "$argon2id$v=19$m=1024,t=1,p=1$$",
    "x".repeat(100_000),
  ];
  for (const stored of strings) assert.equal(await hasher.verify("", stored), false, stored.slice(0, 60));
  await hasher.verifyNobody("anything");
  assert.equal(runs, strings.length + 1);
});

test("the gate lets a few run and a few wait, refuses the rest at once, and keeps the order (checklist 75)", async () => {
  const gate = createGate({ concurrency: 2, queueLimit: 3 });
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const work = (i: number) => () => {
    started.push(i);
    return new Promise<void>((resolve) => finish.push(resolve));
  };
  const accepted = [0, 1, 2, 3, 4].map((i) => gate.run(work(i)));
  assert.deepEqual([gate.running, gate.waiting], [2, 3]);
  await assert.rejects(gate.run(work(5)), { code: "busy", status: 503, retryAfter: 1 });
  assert.deepEqual(started, [0, 1]);
  for (let i = 0; i < 5; i++) {
    finish.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(accepted);
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
  assert.deepEqual([gate.running, gate.waiting], [0, 0]);
  await assert.rejects(
    gate.run(async () => Promise.reject(new Error("work failed"))),
    /work failed/,
  );
  assert.equal(gate.running, 0);
});

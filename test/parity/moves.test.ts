/** The steps of docs/django.md, followed to the letter: its settings are read from the page, and the server is the real command. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ChildServer, callAny as call, startChildServer, temporaryFolder } from "../support/child-server.ts";
import { PASSWORD } from "./cases.ts";
import { SECRET } from "./compare.ts";
import { type DjangoProject, missingDjango, startDjango } from "./django.ts";

const page = readFileSync(new URL("../../docs/django.md", import.meta.url), "utf8");

/** The lines of a block that the page marks. */
function block(mark: string): readonly string[] {
  const [, , text] = page.split(`<!-- move: ${mark} -->`)[1]?.split(/```(sh)?\n/) ?? [];
  assert.ok(text, `docs/django.md has no block "${mark}"`);
  return text.trim().split("\n");
}

const ROOT_SECRET = randomBytes(36).toString("base64");

/** The settings of a block, with what the reader has to fill in. */
function settings(mark: string): Record<string, string> {
  const entries = block(mark).map((line) => {
    const [, name = "", value = ""] = /^([A-Z_]+)=(.*)$/.exec(line) ?? assert.fail(`no setting: ${line}`);
    if (name === "JWT_SECRET_KEY") return [name, SECRET];
    if (name === "DATABASE_URL") return [name, django.database];
    // The project's user model is Django's own.
    if (name === "LATCHKEY_USERS_TABLE") return [name, "auth_user"];
    return [name, name === "LATCHKEY_ROOT_SECRET" ? ROOT_SECRET : value];
  });
  return Object.fromEntries(entries);
}

interface Move {
  readonly folder: string;
  start(env: Record<string, string>): Promise<ChildServer>;
}

let django: DjangoProject;

/** A data folder of ours, and servers over Django's own users. */
async function move(work: (move: Move) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const servers: ChildServer[] = [];
  try {
    await work({
      folder,
      async start(env) {
        const server = await startChildServer({ env, dataDir: folder, isDirect: true });
        servers.push(server);
        return server;
      },
    });
  } finally {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const post = (url: string, path: string, body: object) => call(url, "POST", path, { body });

async function expectOk(url: string, path: string, body: object) {
  const answer = await post(url, path, body);
  assert.equal(answer.status, 200, `${path} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

describe("the moves of docs/django.md", { skip: missingDjango() ?? false }, () => {
  before(async () => {
    django = await startDjango(SECRET, { hasher: "own" });
  });
  after(() => django.stop());

  test("1. from the recipe: nobody is signed out on the way there, on the way back, nor at the end", () =>
    move(async ({ start }) => {
      const credentials = { email: "ada@example.com", password: PASSWORD };
      const old = await expectOk(django.url, "/api/auth/login/", credentials);

      const beside = await start(settings("drf, beside"));
      assert.match(beside.output(), /LATCHKEY_DJANGO_TOKENS=allow[\s\S]*LATCHKEY_DJANGO_REFRESH_KEY=shared/);
      const adopted = await expectOk(beside.url, "/api/auth/refresh/", { refresh: old.refresh });
      const made = await expectOk(beside.url, "/api/auth/login/", credentials);
      for (const token of [adopted.access, made.access]) {
        assert.equal((await call(django.url, "GET", "/api/me/", { token })).status, 200, "Django's guard takes ours");
      }

      const back = await expectOk(django.url, "/api/auth/refresh/", { refresh: made.refresh });
      assert.equal((await call(django.url, "GET", "/api/me/", { token: back.access })).status, 200);
      await expectOk(django.url, "/api/auth/login/", credentials);

      assert.equal(await beside.stop(), 0);
      const alone = await start(settings("drf, alone"));
      await expectOk(alone.url, "/api/auth/refresh/", { refresh: made.refresh });
      const last = await expectOk(alone.url, "/api/auth/login/", credentials);
      await expectOk(django.url, "/api/auth/login/", credentials);
      assert.equal((await post(django.url, "/api/auth/refresh/", { refresh: last.refresh })).status, 401);
      assert.equal((await post(alone.url, "/api/auth/refresh/", { refresh: old.refresh })).status, 401);
    }));

  test("2. from the django-ninja service: access tokens are good on both sides", () =>
    move(async ({ start }) => {
      const old = (await call(django.url, "GET", "/issued/")).body.access_token;
      const beside = await start(settings("ninja, beside"));
      const me = await call(beside.url, "GET", "/v1/users/me", { token: old });
      assert.deepEqual([me.status, me.body.username], [200, "ada"]);
      const made = await expectOk(beside.url, "/v1/users/me/token", { username: "ada", password: PASSWORD });
      const decoded = await call(django.url, "GET", "/decoded/", { token: made.access_token });
      assert.deepEqual([decoded.status, decoded.body.sub, decoded.body.typ], [200, "1", "at+jwt"]);
    }));

  test("3. from simplejwt: nobody is signed out, and nobody who was comes back", () =>
    move(async ({ folder, start }) => {
      const credentials = { username: "ada", password: PASSWORD };
      const [old, ended] = [
        await expectOk(django.url, "/api/token/", credentials),
        await expectOk(django.url, "/api/token/", credentials),
      ];
      await expectOk(django.url, "/api/token/blacklist/", { refresh: ended.refresh });
      const [command = ""] = block("simplejwt, blacklist");
      const [, code = "", file = ""] = /shell -c "(.*)" > (\S+)$/.exec(command) ?? assert.fail(command);
      const list = join(folder, file);
      writeFileSync(list, await django.shell(code));

      const env = settings("simplejwt, beside");
      const beside = await start({
        ...env,
        LATCHKEY_DJANGO_BLACKLIST_FILE: join(folder, env.LATCHKEY_DJANGO_BLACKLIST_FILE ?? ""),
      });
      const adopted = await expectOk(beside.url, "/api/token/refresh/", { refresh: old.refresh });
      const revived = await post(beside.url, "/api/token/refresh/", { refresh: ended.refresh });
      assert.deepEqual([revived.status, revived.body.detail], [401, "Token is blacklisted"]);
      const made = await expectOk(beside.url, "/api/token/", credentials);
      for (const token of [adopted.access, made.access]) {
        assert.equal((await call(django.url, "GET", "/api/simple/me/", { token })).status, 200);
      }
      await expectOk(django.url, "/api/token/refresh/", { refresh: made.refresh });
      await expectOk(django.url, "/api/token/", credentials);

      assert.equal(await beside.stop(), 0);
      const alone = await start(settings("simplejwt, alone"));
      await expectOk(alone.url, "/api/token/refresh/", { refresh: made.refresh });
      const last = await expectOk(alone.url, "/api/token/", credentials);
      await expectOk(alone.url, "/api/token/blacklist/", { refresh: last.refresh });
      assert.equal((await post(django.url, "/api/token/refresh/", { refresh: last.refresh })).status, 401);
    }));
});

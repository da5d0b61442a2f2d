/**
 * What every adapter has to do, over real HTTP. Each starts the same application in its framework: the endpoints under /auth, and guarded routes that
 * answer who asked.
 */
import assert from "node:assert/strict";
import { request as send } from "node:http";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Auth } from "../../src/auth.ts";
import { latchkeyContract } from "../../src/contracts/latchkey.ts";
import { createKeySet, createVerifier, importKey, type Verifier } from "../../src/jwt/index.ts";
import { documentedBy } from "../support/documented.ts";
import { createEngine, type Engine, PASSWORD, TEST_SECRET } from "../support/engine.ts";

/** Headers of frameworks. */
const ADDED = ["x-powered-by", "etag"];
const documented = documentedBy([latchkeyContract]);

/** What the routes are made with. */
export interface Given {
  readonly auth: Auth;
  /** Knows no store. */
  readonly verifier: Verifier;
}

export interface Started {
  readonly port: number;
  close(): Promise<unknown>;
}

/** What a guarded route answers: who asked. */
export const described = (who: unknown) => ({
  ...(who as { userId?: number; subject?: string; claims?: object } | undefined),
  user: undefined,
  claims: undefined,
});

/** For `authenticators`: a session cookie of the application's own. */
export const bySessionCookie = (headers: { readonly cookie?: string | undefined }) =>
  headers.cookie?.includes("session=known") ? { userId: 4711 } : undefined;

export interface AdapterContract {
  readonly name: string;
  /**
   * Starts an application with `authRoutes` under /auth, mounted twice where a framework lets one, its prefix written with slashes or without, and the
   * routes /me (every method), /live (freshness "live"), /staff (role "staff"), /billing (claim plan "pro"), /maybe (optional), /either
   * (authenticators) and /offline (the verifier), in this order or any.
   */
  start(given: Given): Promise<Started>;
  /** What the framework's own error handling makes of a refusal without any help: whether its body is the problem. */
  readonly answersProblems: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the application answered
  readonly body: any;
}

export function runAdapterContract({ name, start, answersProblems }: AdapterContract): void {
  describe(name, () => {
    let engine: Engine;
    let app: Started;
    let token: string;
    let staffToken: string;

    before(async () => {
      engine = await createEngine({
        claims: ({ username }) => (username === "boss" ? { roles: ["staff", "other"], plan: "pro" } : { roles: [] }),
      });
      const keys = createKeySet([importKey(Buffer.from(TEST_SECRET), { alg: "HS256" })]);
      const claimValues = { typ: "at+jwt" };
      const verifier = createVerifier({
        keys,
        issuer: "latchkey",
        audience: "latchkey",
        claimValues,
        system: engine.system,
      });
      app = await start({ auth: engine.auth, verifier });
      for (const username of ["ada", "boss"]) {
        const body = { username, email: `${username}@example.com`, password: PASSWORD };
        assert.equal((await call("POST", "/auth/v1/users", {}, body)).status, 201);
      }
      token = await signIn("ada");
      staffToken = await signIn("boss");
    });
    after(async () => {
      await app?.close();
      await engine?.auth.close();
    });

    function call(
      method: string,
      path: string,
      headers: Record<string, string | string[]> = {},
      body?: unknown,
    ): Promise<Answer> {
      return new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
        const type =
          text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
        const outgoing = send(
          { port: app.port, method, path, headers: { ...type, ...headers }, agent: false },
          (incoming) => {
            const parts: Buffer[] = [];
            incoming.on("data", (part: Buffer) => parts.push(part));
            incoming.on("error", reject);
            incoming.on("end", () => {
              const answer = Buffer.concat(parts).toString();
              let parsed: unknown;
              try {
                parsed = JSON.parse(answer);
              } catch {}
              if (
                path.startsWith("/auth/") &&
                documented.knows(path.slice("/auth".length)) &&
                incoming.headers["content-security-policy"]
              ) {
                const status = incoming.statusCode ?? 0;
                const exchange = { method, path: path.slice("/auth".length), status, text: answer };
                try {
                  documented.check({ ...exchange, headers: Object.entries(incoming.headers) }, ADDED);
                } catch (problem) {
                  reject(problem);
                }
              }
              resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: answer, body: parsed });
            });
          },
        );
        outgoing.on("error", reject);
        outgoing.end(text);
      });
    }

    async function signIn(username: string): Promise<string> {
      return (await call("POST", "/auth/v1/users/me/token", {}, { username, password: PASSWORD })).body.access_token;
    }

    const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

    test("register, sign in, who am I, refresh, sign out", async () => {
      const login = await call("POST", "/auth/v1/users/me/token/", {}, { username: "ada", password: PASSWORD });
      assert.equal(login.status, 200);
      assert.equal((await call("GET", "/auth/v1/users/me", bearer(login.body.access_token))).body.username, "ada");
      const refreshed = await call(
        "POST",
        "/auth/v1/users/me/token/refresh",
        {},
        { refresh_token: login.body.refresh_token },
      );
      assert.equal(refreshed.body.generation, 1);
      assert.equal((await call("GET", "/me", bearer(refreshed.body.access_token))).status, 200);
      const { refresh_token } = refreshed.body;
      assert.equal((await call("POST", "/auth/v1/users/me/token/revoke", {}, { refresh_token })).status, 204);
      assert.equal((await call("GET", "/me", bearer(refreshed.body.access_token))).status, 401, "taken back at once");
    });

    test("a guarded route knows who asks", async () => {
      const { status, body } = await call("GET", "/me", bearer(token));
      assert.deepEqual([status, body.userId], [200, 1]);
      assert.equal((await call("GET", "/offline", bearer(token))).body.subject, "1");
    });

    test("nobody passes without a good token, and is told why (checklist 37)", async () => {
      const [head, claims] = token.split(".");
      const bad: Record<string, Record<string, string>> = {
        "no header": {},
        "another scheme": { authorization: "Basic YTpi" },
        "nothing behind the scheme": { authorization: "Bearer" },
        "white space": { authorization: "Bearer    " },
        garbage: bearer("garbage"),
        "a forged signature": bearer(`${head}.${claims}.${"A".repeat(43)}`),
        "two tokens": bearer(`${token} ${token}`),
        "no scheme": { authorization: token },
      };
      for (const path of ["/me", "/offline", "/staff"]) {
        for (const [what, headers] of Object.entries(bad)) {
          const { status, headers: answered, body, text } = await call("GET", path, headers);
          assert.equal(status, 401, `${path}, ${what}`);
          const challenge = String(answered["www-authenticate"]);
          const names = ["garbage", "a forged signature", "two tokens"].includes(what);
          assert.match(challenge, /^Bearer realm="latchkey"/, what);
          assert.equal(challenge.includes("invalid_token"), names, `${what}: ${challenge}`);
          if (answersProblems) assert.equal(body.code, names ? "token_invalid" : "credentials_missing", what);
          assert.doesNotMatch(text, /node_modules|\.ts:|signature/, "and not more than that");
        }
      }
    });

    test("an expired token is refused as such", async () => {
      const old = await signIn("ada");
      engine.system.advance("16m");
      await engine.auth.ping();
      const { status, headers } = await call("GET", "/me", bearer(old));
      assert.equal(status, 401);
      assert.match(String(headers["www-authenticate"]), /Token has expired/);
      token = await signIn("ada");
      staffToken = await signIn("boss");
    });

    test("the scheme is read in any case, and two of it are 400 (checklist 38)", async () => {
      for (const scheme of ["bearer", "BEARER", "bEaReR"]) {
        assert.equal((await call("GET", "/me", { authorization: `${scheme}  ${token} ` })).status, 200, scheme);
      }
      const twice = await raw(
        `GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\n`,
      );
      assert.match(twice, /^HTTP\/1.1 400 /);
      const mixed = await raw(
        `GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\nAuthorization: Bearer ${token}\r\n`,
      );
      assert.match(mixed, /^HTTP\/1.1 400 /);
      const first = await raw(`GET /me HTTP/1.1\r\nHost: a\r\nAuthorization:\r\nAuthorization: Bearer ${token}\r\n`);
      assert.match(first, /^HTTP\/1.1 400 /, "one without a value hides none");
    });

    test("the endpoints read a request as the guards do (checklist 38)", async () => {
      const path = "/auth/v1/users/me";
      assert.equal((await call("GET", path, bearer(token))).status, 200);
      const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n`;
      for (const second of [`Authorization: Bearer ${token}`, "Authorization: Basic YTpi"]) {
        assert.match(await raw(`${head}${second}\r\n`), /^HTTP\/1.1 400 /, second.slice(0, 20));
      }
      assert.equal((await call("HEAD", path, bearer(token))).status, 200);
      assert.equal((await call("PUT", path, bearer(token), {})).status, 405);
    });

    test("white space is what HTTP calls so: no other hides the prefix of a cookie or makes a scheme", async () => {
      const cookie = `__Host-latchkey_access=${token}`;
      for (const space of ["\u00a0"]) {
        const sent = await raw(`GET /me HTTP/1.1\r\nHost: a\r\nCookie: ${space}${cookie}\r\n`);
        assert.match(sent, /^HTTP\/1.1 401 /, "a cookie of another name");
        const scheme = await raw(`GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: ${space}Bearer ${token}\r\n`);
        assert.match(scheme, /^HTTP\/1.1 40[01] /);
        const behind = await raw(`GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}${space}\r\n`);
        assert.match(behind, /^HTTP\/1.1 40[01] /);
      }
      assert.equal((await call("GET", "/me", { cookie: ` ${cookie} ; a=b` })).status, 200);
    });

    test("a token in the URL counts for nothing but a refusal (checklist 36)", async () => {
      assert.equal((await call("GET", `/me?access_token=${token}`)).status, 400);
      assert.equal((await call("GET", `/me?token=${token}`)).status, 401);
    });

    test("roles and claims decide who may, and who may not is 403", async () => {
      assert.equal((await call("GET", "/staff", bearer(staffToken))).status, 200);
      assert.equal((await call("GET", "/billing", bearer(staffToken))).status, 200);
      for (const path of ["/staff", "/billing"]) {
        const { status, headers } = await call("GET", path, bearer(token));
        assert.equal(status, 403);
        assert.match(String(headers["www-authenticate"]), /error="insufficient_scope"/);
      }
    });

    test("optional: nobody passes as nobody, and a bad token does not", async () => {
      assert.deepEqual((await call("GET", "/maybe")).body, {});
      assert.equal((await call("GET", "/maybe", bearer(token))).body.userId, 1);
      assert.equal((await call("GET", "/maybe", bearer("garbage"))).status, 401);
    });

    test("the next authenticator is asked only when there is no credential", async () => {
      const cookie = "session=known";
      assert.equal((await call("GET", "/either", { cookie })).body.userId, 4711);
      assert.equal((await call("GET", "/either", { cookie, ...bearer(token) })).body.userId, 1);
      assert.equal((await call("GET", "/either", { cookie, ...bearer("garbage") })).status, 401);
      assert.equal((await call("GET", "/either")).status, 401);
    });

    test("nothing but an absent credential falls through, to an authenticator or to nobody", async () => {
      const session = "session=known";
      const expired = await signIn("ada");
      engine.system.advance("16m");
      token = await signIn("ada");
      staffToken = await signIn("boss");
      const ended = await signIn("ada");
      const [{ id = "" } = {}] = await engine.auth.sessions.list(1);
      await engine.auth.sessions.end(1, id);
      const access = "__Host-latchkey_access";
      const bad: Record<string, [number, Record<string, string>]> = {
        garbage: [401, bearer("garbage")],
        "an expired token": [401, bearer(expired)],
        "a token of a session that ended": [401, bearer(ended)],
        "two tokens": [400, { authorization: `Bearer ${token}, Bearer ${token}` }],
        "two schemes": [400, { authorization: `Basic YTpi, Bearer ${token}` }],
        "a tab behind the scheme": [401, { authorization: "Bearer\tgarbage" }],
        "no space behind the scheme": [401, { authorization: "Bearer=garbage" }],
        "a cookie that is no token": [401, { cookie: `${session}; ${access}=garbage` }],
        "a cookie that came twice": [400, { cookie: `${session}; ${access}=planted; ${access}=${token}` }],
      };
      for (const path of ["/maybe", "/either"]) {
        for (const [what, [status, headers]] of Object.entries(bad)) {
          assert.equal((await call("GET", path, { cookie: session, ...headers })).status, status, `${path}, ${what}`);
        }
      }
      // Another scheme is no credential of ours, and the one who knows it is next.
      for (const authorization of ["Basic YTpi", "Digest a=b, c=d", "Bearer", "Bearer   "]) {
        assert.equal(
          (await call("GET", "/either", { cookie: session, authorization })).body.userId,
          4711,
          authorization,
        );
        assert.deepEqual((await call("GET", "/maybe", { authorization })).body, {}, authorization);
      }
    });

    test("what the store has to be asked is waited for, and a store that is gone is no yes", async () => {
      assert.equal((await call("GET", "/live", bearer(token))).body.userId, 1);
      assert.equal((await call("GET", "/live")).status, 401);
      const ended = await signIn("ada");
      const [{ id = "" } = {}] = await engine.auth.sessions.list(1);
      await engine.auth.sessions.end(1, id);
      const { status, headers } = await call("GET", "/live", bearer(ended));
      assert.equal(status, 401);
      assert.match(String(headers["www-authenticate"]), /error="invalid_token"/);
    });

    test("a request that changes something and rests on a cookie comes from our own pages, at every guard", async () => {
      const cookie = `__Host-latchkey_access=${token}`;
      const change = async (headers: Record<string, string>) => (await call("POST", "/me", headers, {})).status;
      assert.equal(await change({ cookie }), 403);
      assert.equal(await change({ cookie, "sec-fetch-site": "cross-site" }), 403);
      assert.equal(await change({ cookie, "sec-fetch-site": "same-site" }), 403);
      assert.equal(await change({ cookie, origin: "https://evil.example" }), 403);
      assert.equal(await change({ cookie, origin: "null" }), 403);
      const passes = [200, 201]; // as the framework answers a POST
      for (const headers of [
        { cookie, "sec-fetch-site": "same-origin" },
        { cookie, origin: `http://localhost:${app.port}`, host: `localhost:${app.port}` },
        { cookie, ...bearer(token), "sec-fetch-site": "cross-site" },
      ]) {
        assert.ok(passes.includes(await change(headers)), JSON.stringify(headers));
      }
      assert.equal((await call("GET", "/me", { cookie, "sec-fetch-site": "cross-site" })).status, 200);
      assert.equal((await call("GET", "/me", { cookie: `${cookie}; ${cookie}` })).status, 200, "twice the same");
    });

    test("cookies: set under the prefix, good at the guard, and given back", async () => {
      const browser = { "sec-fetch-site": "same-origin", "latchkey-transport": "cookie" };
      const login = await call("POST", "/auth/v1/users/me/token", browser, { username: "ada", password: PASSWORD });
      const set = login.headers["set-cookie"] as string[];
      assert.equal(set.length, 2);
      assert.match(set[1] ?? "", /; Path=\/auth\/v1\/users\/me\/token;/);
      const cookie = set.map((line) => line.slice(0, line.indexOf(";"))).join("; ");
      assert.equal((await call("GET", "/me", { cookie })).body.userId, 1);
      const planted = `__Host-latchkey_access=planted; ${cookie}`;
      assert.equal((await call("GET", "/me", { cookie: planted })).status, 400);
      const out = await call("POST", "/auth/v1/users/me/token/revoke", { ...browser, cookie }, {});
      assert.deepEqual([out.status, (out.headers["set-cookie"] as string[]).length], [204, 2]);
      assert.equal((await call("GET", "/me", { cookie })).status, 401);
    });

    test("bad bodies are told apart, and nothing of them is the framework's own answer", async () => {
      const path = "/auth/v1/users/me/token";
      assert.equal((await call("POST", path, {}, "{not json")).status, 400);
      assert.equal((await call("POST", path, { "content-type": "text/plain" }, "{}")).status, 415);
      assert.equal((await call("POST", path, {}, {})).body.code, "input_invalid");
      assert.equal((await call("POST", path, {}, JSON.stringify({ username: "x".repeat(70_000) }))).status, 413);
      assert.equal((await call("POST", path)).status, 415);
      const wrong = await call("PATCH", path, {}, {});
      assert.deepEqual([wrong.status, wrong.headers.allow], [405, "GET, HEAD, POST"]);
    });

    test("what is no endpoint of ours is the application's", async () => {
      assert.equal((await call("GET", "/auth/v1/other")).status, 404);
      assert.equal((await call("GET", "/authority/v1/users/me", bearer(token))).status, 404);
      assert.equal((await call("GET", "/v1/users/me", bearer(token))).status, 404, "not without the prefix");
    });

    test("headers that are too long are the server's to refuse, and the next request is answered", async () => {
      const long = await call("GET", "/me", { ...bearer(token), "x-long": "x".repeat(17_000) });
      assert.equal(long.status, 431);
      const nearly = await call("GET", "/me", bearer("x".repeat(15_000)));
      assert.equal(nearly.status, 401);
      assert.equal((await call("GET", "/me", bearer(token))).status, 200);
    });

    test("whoever hangs up in the middle of a request harms nobody", async () => {
      for (let i = 0; i < 10; i++) {
        await new Promise<void>((resolve) => {
          const socket = connect(app.port, "127.0.0.1", () => {
            socket.write(
              i % 2 === 0
                ? "POST /auth/v1/users/me/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
                : `GET /live HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
            );
            setTimeout(() => socket.destroy(), i % 4);
          });
          socket.on("close", () => resolve());
          socket.on("error", () => {});
        });
      }
      assert.equal((await call("GET", "/me", bearer(token))).status, 200);
    });

    // The last: nothing is asked of the store after it.
    test("a store that does not answer is 503 with Retry-After where it has to be asked, and no yes", async () => {
      await engine.storage.close();
      const { status, headers } = await call("GET", "/live", bearer(token));
      assert.equal(status, 503);
      assert.equal(headers["retry-after"], "1");
    });

    /** Sends what node's client would not. */
    function raw(head: string): Promise<string> {
      return new Promise((resolve, reject) => {
        const socket = connect(app.port, "127.0.0.1", () => socket.write(`${head}Connection: close\r\n\r\n`, "latin1"));
        let text = "";
        socket.on("data", (part) => {
          text += part;
        });
        socket.on("end", () => resolve(text));
        socket.on("error", reject);
      });
    }
  });
}

/** Every way in, and that there is no other: what is not there can't be got wrong, until somebody adds it and has to come by here. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createEngine, PASSWORD, signIn } from "../support/engine.ts";

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas?: Readonly<Record<string, unknown>> };
}

/** The document is compared with what is served by the tests of the document. */
const document = JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/openapi.json"), "utf8")) as Document;

/** True when a successful answer may hold a token to sign in with. */
function givesTokens({ responses }: Operation): boolean {
  const good = Object.entries(responses).filter(([status]) => status.startsWith("2"));
  let text = JSON.stringify(good.map(([, answer]) => answer.content));
  for (const [, name = ""] of text.matchAll(/#\/components\/schemas\/([\w.-]+)/g)) {
    text += JSON.stringify(document.components.schemas?.[name]);
  }
  return /"(?:access_token|refresh_token|access|refresh)":\{/.test(text);
}

test("tokens are given for a password and for a refresh token: nothing signs in by half, by e-mail or by another account (checklist 79, 84, 97, 98)", () => {
  const ways = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => givesTokens(operation))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(ways.sort(), [
    "POST /api/auth/login/",
    "POST /api/auth/refresh/",
    "POST /api/token/",
    "POST /api/token/refresh/",
    "POST /v1/users/me/token",
    "POST /v1/users/me/token/refresh",
  ]);
});

test("a password that somebody else sets signs nobody in and ends every session (checklist 48, 82)", async () => {
  const engine = await createEngine();
  const { auth } = engine;
  const { user, tokens } = await signIn(engine);
  const other = await auth.login({ username: "ada", password: PASSWORD });
  assert.equal(await auth.users.setPassword(user.id, "another phrase of hers"), undefined);
  for (const { refreshToken, accessToken } of [tokens, other]) {
    await assert.rejects(auth.refresh(refreshToken), { code: "session_ended" });
    assert.throws(() => auth.authenticate(accessToken), { code: "session_ended" });
  }
  assert.deepEqual(await auth.sessions.list(user.id), []);
  await assert.rejects(auth.login({ username: "ada", password: PASSWORD }), { code: "invalid_credentials" });
  assert.ok(await auth.login({ username: "ada", password: "another phrase of hers" }));
  await auth.close();
});

/** Components on a server: what is rendered before anything is known. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import type { User } from "../../src/client/index.ts";
import { AuthProvider, useAuth, useUser } from "../../src/react/index.ts";
import { signIn, startServer, type TestServer } from "../client/support.ts";

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

function Who() {
  const { status } = useAuth();
  const user = useUser();
  return createElement("p", null, `${status}: ${user?.username ?? "nobody"}`);
}

const render = (client: Parameters<typeof AuthProvider>[0]["client"]) =>
  renderToString(createElement(AuthProvider, { client }, createElement(Who)));

const ada = { id: 1, username: "ada", email: "ada@example.com" } as User;

test("a server renders whom it saw, also when that takes a while", async () => {
  const client = server.client({ initialUser: ada });
  assert.equal(render(client), "<p>signed-in: ada</p>");
  await client.ready;
  assert.equal(render(client), "<p>signed-in: ada</p>");
  assert.equal(render(server.client({ initialUser: null })), "<p>signed-out: nobody</p>");
});

test("a server that does not know says so", async () => {
  const client = server.client();
  await client.ready;
  assert.equal(render(client), "<p>loading: nobody</p>", "as hydration will, whatever has come out meanwhile");
});

test("without a provider the message says what is missing", () => {
  assert.throws(() => renderToString(createElement(Who)), {
    name: "TypeError",
    message: "useAuth and useUser need <AuthProvider client={…}> above them",
  });
});

test("what is seen is one object until it changes", async () => {
  const client = server.client();
  await signIn(client);
  const { state } = client;
  server.engine.system.advance("16m");
  await client.fetch("/orders");
  assert.equal(client.session?.generation, 1);
  assert.equal(client.state, state, "new tokens are no news to components");
});

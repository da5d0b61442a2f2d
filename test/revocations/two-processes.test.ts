import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChildServer, call, startChildServer } from "../support/child-server.ts";
import { PASSWORD } from "../support/engine.ts";

let one: ChildServer;
let two: ChildServer;
before(async () => {
  one = await startChildServer({ isDirect: true });
  two = await startChildServer({ isDirect: true, dataDir: one.dataDir });
});
after(async () => {
  await two.stop();
  await one.stop();
});

test("a session that ends in one process is over in another on the same file soon after (checklist 55)", async () => {
  await call(one.url, "POST", "/v1/users/", {
    body: { username: "ada", email: "ada@example.com", password: PASSWORD },
  });
  for (let round = 0; round < 5; round++) {
    const { body } = await call(one.url, "POST", "/v1/users/me/token", {
      body: { username: "ada", password: PASSWORD },
    });
    const me = () => call(two.url, "GET", "/v1/users/me", { token: body.access_token });
    assert.equal((await me()).status, 200);
    await call(one.url, "POST", "/v1/users/me/token/revoke", { body: { refresh_token: body.refresh_token } });
    const ended = performance.now();
    while ((await me()).status === 200) {
      assert.ok(performance.now() - ended < 2000, "two seconds, on the slowest machine");
      await sleep(5);
    }
  }
});

test("a refresh that one process answered is known to the other", async () => {
  const { body } = await call(one.url, "POST", "/v1/users/me/token", { body: { username: "ada", password: PASSWORD } });
  const refresh = (url: string) =>
    call(url, "POST", "/v1/users/me/token/refresh", { body: { refresh_token: body.refresh_token } });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => refresh(i % 2 ? one.url : two.url)));
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
  assert.equal(new Set(answers.map((answer) => answer.body.refresh_token)).size, 1);
});

/** The guard of a dialect for an application's own routes, over node:http and over fetch: how it reads what a request carries. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { drfContract } from "../../src/contracts/drf.ts";
import { simplejwtContract } from "../../src/contracts/simplejwt.ts";
import { AuthError } from "../../src/errors.ts";
import { createEngine, PASSWORD } from "../support/engine.ts";

test("two Authorization headers are nobody's, in either order, with node's request and with fetch's (checklist 38)", async (t) => {
  const { auth } = await createEngine();
  t.after(() => auth.close());
  await auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
  const contracts = [drfContract(auth), simplejwtContract(auth)];
  const [byEmail, byName] = contracts as [(typeof contracts)[0], (typeof contracts)[1]];
  const tokens = [
    (await byEmail.tokens.login({ email: "ada@example.com", password: PASSWORD }, {})).access,
    (await byName.tokens.login({ username: "ada", password: PASSWORD }, {})).access,
  ];
  const server = createServer(async (request, response) => {
    const contract = contracts[Number(request.url?.slice(1))];
    try {
      response.end(`user ${(await contract?.authenticate(request))?.userId}`);
    } catch (error) {
      assert.ok(error instanceof AuthError);
      response.writeHead(error.status).end(error.code);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  async function ask(index: number, values: readonly string[]): Promise<string> {
    const socket = connect(port, "127.0.0.1");
    const lines = values.map((value) => `Authorization: ${value}\r\n`).join("");
    socket.write(`GET /${index} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`);
    return text(socket);
  }
  for (const [index, token] of tokens.entries()) {
    const [good, other] = [`Bearer ${token}`, "Bearer somebody.elses.token"];
    assert.match(await ask(index, [good]), /user 1/);
    for (const values of [
      [good, other],
      [other, good],
      [good, good],
    ]) {
      assert.match(await ask(index, values), /^HTTP\/1\.1 401 /, values.map((value) => value.slice(0, 9)).join());
      const headers = new Headers();
      for (const value of values) headers.append("authorization", value);
      await assert.rejects(contracts[index]?.authenticate({ headers }) as Promise<unknown>, { status: 401 });
    }
  }
});

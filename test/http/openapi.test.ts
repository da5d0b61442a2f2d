/** The OpenAPI document: that it is one, that it is held to, and the page that shows it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import * as z from "zod";
import { drfContract } from "../../src/contracts/drf.ts";
import { createHandler, type HandlerOptions } from "../../src/handler.ts";
import type { MediaType, OpenapiDocument } from "../../src/http/openapi.ts";
import { type Contract, route } from "../../src/http/route.ts";
import { type Exchange, holdTo } from "../support/documented.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "../support/engine.ts";
import { ROOT } from "../support/root.ts";

const kept: OpenapiDocument = JSON.parse(readFileSync(`${ROOT}docs/openapi.json`, "utf8"));

const documented = holdTo(kept);

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

async function get(path: string, options: HandlerOptions = {}, headers: Record<string, string> = {}, base?: string) {
  const handle = createHandler(engine.auth, { documents: "docs", ...options });
  const response = await handle(new Request(`http://latchkey.test${path}`, { headers }), { ip: "203.0.113.7", base });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("the document", () => {
  test("is OpenAPI 3.1 by its official schema", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(kept) as never);
    assert.ok(valid, JSON.stringify(errors));
    assert.match(kept.openapi, /^3\.1\./);
  });

  test("names every operation once, and every name in it leads somewhere", () => {
    const operations = Object.values(kept.paths).flatMap((path) => Object.values(path));
    const ids = operations.map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, pointer] of JSON.stringify(kept).matchAll(/"\$ref":"#([^"]+)"/g)) {
      const found = (pointer as string)
        .split("/")
        .slice(1)
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], kept);
      assert.ok(found, String(pointer));
    }
    for (const { security, tags } of operations) {
      for (const one of security)
        for (const name of Object.keys(one)) assert.ok(name in kept.components.securitySchemes);
      for (const tag of tags) assert.ok(kept.tags.some(({ name }) => name === tag));
    }
  });

  test("has examples that are what it says", () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(kept as object, "document");
    let count = 0;
    const look = (value: unknown, pointer: string): void => {
      if (typeof value !== "object" || value === null) return;
      const { schema, example } = value as MediaType;
      if (schema !== undefined && example !== undefined) {
        const validate = ajv.getSchema(`document#${pointer}/schema`);
        assert.ok(validate?.(example), `${pointer}: ${ajv.errorsText(validate?.errors)}`);
        count++;
        return;
      }
      for (const [name, one] of Object.entries(value)) {
        look(one, `${pointer}/${encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"))}`);
      }
    };
    look(kept, "");
    assert.ok(count > 50, `${count} examples`);
  });

  test("is that of the dialects that are mounted, where they are mounted", async () => {
    const read = async (options: HandlerOptions, path = "/openapi.json", base?: string): Promise<OpenapiDocument> =>
      JSON.parse((await get(path, options, {}, base)).text);
    const drf = drfContract(engine.auth, { basePath: "/accounts" });
    const alone = await read(
      { contracts: [drf], prefix: "api", documents: "openapi" },
      "/api/openapi.json",
      "/mounted",
    );
    assert.deepEqual(alone.servers, [{ url: "/mounted/api" }]);
    assert.deepEqual(Object.keys(alone.paths), ["/accounts/login/", "/accounts/refresh/", "/openapi.json"]);
    const rotating = await read({ contracts: [drfContract(engine.auth, { rotateRefreshTokens: true })] });
    assert.match(JSON.stringify(rotating.paths["/api/auth/refresh/"]?.post?.responses[200]), /"refresh"/);
    const bare = JSON.stringify(await read({ cookies: false }));
    assert.doesNotMatch(
      bare.replace(/"securitySchemes":\{.*?\}\},/, ""),
      /Set-Cookie":\{"\$ref|accessCookie":\[|latchkey-transport/i,
    );
  });

  test("is kept by who has it, until it changes", async () => {
    const { headers } = await get("/openapi.json");
    assert.equal(headers.get("cache-control"), "public, no-cache");
    const again = await get("/openapi.json", {}, { "if-none-match": headers.get("etag") as string });
    assert.deepEqual([again.status, again.text], [304, ""]);
  });

  test("is served only where that is wanted", async () => {
    assert.deepEqual(
      await Promise.all(
        (["none", "openapi", "docs"] as const).map(async (documents) => [
          (await get("/openapi.json", { documents })).status,
          (await get("/docs", { documents })).status,
          (await get("/docs/style.css", { documents })).status,
        ]),
      ),
      [
        [404, 404, 404],
        [200, 404, 404],
        [200, 200, 200],
      ],
    );
  });
});

describe("what holds answers to the document", () => {
  const good = async (): Promise<Exchange> => {
    const { body, headers } = await engine.call("POST", "/v1/users", {
      body: {
        username: `u${Math.random().toString(36).slice(2)}`,
        email: `${Math.random().toString(36).slice(2)}@example.com`,
        password: PASSWORD,
      },
    });
    return { method: "POST", path: "/v1/users", status: 201, headers: [...headers], text: JSON.stringify(body) };
  };
  const changed: readonly [what: string, change: (exchange: Exchange) => Exchange, message: RegExp][] = [
    ["a status", (one) => ({ ...one, status: 202 }), /does not know/],
    ["a server error", (one) => ({ ...one, status: 500 }), /does not know/],
    ["a field", (one) => ({ ...one, text: one.text.replace("{", '{"password":"x",') }), /additional properties/],
    ["a type", (one) => ({ ...one, text: one.text.replace(/"id":\d+/, '"id":"1"') }), /must be integer/],
    [
      "a field that is missing",
      (one) => ({ ...one, text: one.text.replace(/"username":"[^"]*",/, "") }),
      /required property 'username'/,
    ],
    ["a header", (one) => ({ ...one, headers: [...one.headers, ["x-powered-by", "us"]] }), /headers that/],
    [
      "a content type",
      (one) => ({ ...one, headers: [...one.headers, ["content-type", "text/html"]] }),
      /as text\/html/,
    ],
    [
      "a security header that is missing",
      (one) => ({ ...one, headers: [...one.headers].filter(([name]) => name !== "content-security-policy") }),
      /without content-security-policy/,
    ],
    ["a method", (one) => ({ ...one, method: "PUT" }), /does not know/],
    ["a path", (one) => ({ ...one, path: "/v2/users" }), /does not know/],
  ];
  for (const [what, change, message] of changed) {
    test(`refuses ${what} that it does not know`, async () => {
      const exchange = await good();
      documented.check(exchange);
      assert.throws(() => documented.check(change(exchange)), message);
    });
  }

  test("refuses a code that a row does not name", async () => {
    const { body, headers } = await engine.call("GET", "/v1/users/me");
    const exchange: Exchange = {
      method: "GET",
      path: "/v1/users/me",
      status: 401,
      headers: [...headers],
      text: JSON.stringify(body),
    };
    documented.check(exchange);
    const text = exchange.text.replace("credentials_missing", "refresh_token_reused");
    assert.throws(() => documented.check({ ...exchange, text }), /allowed values/);
  });
});

describe("the page", () => {
  test("shows every operation and every shape, with an example for each", async () => {
    const { status, headers, text } = await get("/docs/");
    assert.deepEqual([status, headers.get("content-type")], [200, "text/html; charset=utf-8"]);
    for (const [path, methods] of Object.entries(JSON.parse((await get("/openapi.json")).text).paths)) {
      assert.ok(text.includes(`<code>${path}</code>`), path);
      for (const { operationId } of Object.values(methods as object)) assert.ok(text.includes(`id="${operationId}"`));
    }
    assert.equal(
      text.match(/<h4>Example<\/h4>\n<pre tabindex="0"><code>curl/g)?.length,
      text.match(/<h4>Answers<\/h4>/g)?.length,
    );
    for (const name of ["User", "Tokens", "Problem"]) assert.ok(text.includes(`id="shape-${name}"`));
    assert.ok(text.length < 80_000, `${text.length} characters`);
  });

  test("loads its own stylesheet and nothing else, and may not (checklist 88)", async () => {
    const { headers, text } = await get("/docs");
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|script|\*|https?:/);
    assert.doesNotMatch(text, /<script|<style|style=|\son\w+=|src=|@import/i);
    const links = [...text.matchAll(/href="([^"#][^"]*)"/g)].map(([, link]) => link);
    assert.deepEqual([...new Set(links)].sort(), ["/docs/style.css", "/openapi.json"]);
    const style = await get("/docs/style.css");
    assert.equal(style.headers.get("content-type"), "text/css; charset=utf-8");
    assert.doesNotMatch(style.text, /url\(|@import|https?:/);
  });

  test("writes names as text, whatever is in them", async () => {
    const hostile = `"><script>alert('x')</script>&`;
    const contract: Contract = {
      name: hostile,
      routes: [
        route({
          method: "POST",
          path: "/hostile",
          summary: hostile,
          guard: "none",
          body: z.object({ [hostile]: z.string().meta({ description: `\`${hostile}\``, examples: [hostile] }) }),
          answer: z.object({ one: z.literal(hostile) }).meta({ description: hostile }),
          async handle() {
            return { status: 200, body: { one: hostile } };
          },
        }),
      ],
    };
    const { text } = await get("/docs", { contracts: [contract] });
    assert.doesNotMatch(text, /<script|alert\('x'\)/);
    assert.ok(text.includes("&lt;script&gt;"));
    // Nor does a quote end the shell's word.
    assert.match(text, /alert\(&#39;\\&#39;&#39;x/);
  });

  test("takes no part of its links from a request", async () => {
    for (const base of ['/"><script>', "/$(reboot)", "/`id`", "/a b"]) {
      const { text } = await get(
        "/docs",
        {},
        { host: "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-prefix": "/evil" },
        base,
      );
      assert.doesNotMatch(text, /evil|reboot|`id`|a b\/docs/);
      assert.ok(text.includes('href="/docs/style.css"'));
    }
    assert.ok((await get("/docs", {}, {}, "/auth")).text.includes('href="/auth/docs/style.css"'));
  });
});

test("every row answers an allowed origin and its preflight, by each letter, and no other (checklist 62)", async () => {
  const allowed = "https://app.example.com";
  const handle = createHandler(engine.auth, { documents: "docs", allowedOrigins: [allowed] });
  const { paths } = JSON.parse(
    await (await handle(new Request("http://latchkey.test/openapi.json"))).text(),
  ) as OpenapiDocument;
  const { tokens } = await signIn(engine, "crosser");
  for (const [path, methods] of Object.entries(paths)) {
    const url = `http://latchkey.test${path.replace(/\{[^}]+\}/g, "1")}`;
    for (const method of Object.keys(methods).map((name) => name.toUpperCase())) {
      for (const [origin, isAllowed] of [
        [allowed, true],
        [`${allowed}.evil.example`, false],
        ["https://APP.example.com", false],
        ["null", false],
      ] as const) {
        const preflight = await handle(
          new Request(url, { method: "OPTIONS", headers: { origin, "access-control-request-method": method } }),
        );
        const asked = { origin, ...(method !== "GET" && { authorization: `Bearer ${tokens.accessToken}x` }) };
        const answer = await handle(new Request(url, { method: method === "GET" ? "GET" : "PUT", headers: asked }));
        for (const { headers } of [preflight, answer]) {
          assert.equal(
            headers.get("access-control-allow-origin"),
            isAllowed ? origin : null,
            `${method} ${path} ${origin}`,
          );
          assert.equal(headers.get("x-content-type-options"), "nosniff");
          // What a shared cache keeps of one origin's answer is not given to another.
          assert.equal(headers.get("vary"), "Origin");
        }
        assert.equal(
          preflight.headers.get("access-control-allow-methods")?.split(", ").includes(method) ?? false,
          isAllowed,
        );
      }
    }
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError } from "../../src/errors.ts";
import { readAccessToken } from "../../src/http/credentials.ts";

const OPTIONS = { takesCookies: false, allowedOrigins: [] };

function read(authorization: string | undefined, url = "/"): string | undefined {
  const header = (name: string) => (name === "authorization" ? authorization : undefined);
  return readAccessToken({ method: "GET", host: "api.example.com", header }, url, OPTIONS);
}

const signature = "S".repeat(43);

test("a header that was read before gives the same token, and one that differs anywhere its own", () => {
  const headers: readonly [header: string, token: string | undefined][] = [
    [`Bearer a.b.${signature}`, `a.b.${signature}`],
    [`bearer a.b.${signature}`, `a.b.${signature}`],
    [`Bearer   a.b.${signature}`, `a.b.${signature}`],
    [`Bearer x.b.${signature}`, `x.b.${signature}`],
    [`Bearer a.x.${signature}`, `a.x.${signature}`],
    [`Bearer a.b.${signature.slice(1)}T`, `a.b.${signature.slice(1)}T`],
    [`Basic a.b.${signature}`, undefined],
    [`Bearera.b.${signature}`, undefined],
    ["Bearer", undefined],
    ["Bearer x", "x"],
    ["", undefined],
    [`Bearer ${"p".repeat(2000)}.${signature}`, `${"p".repeat(2000)}.${signature}`],
  ];
  // They all end alike, so each takes the other's place.
  for (let round = 0; round < 3; round++) {
    for (const [header, token] of headers) {
      assert.equal(read(header), token, header.slice(0, 60));
      assert.equal(read(header), token, `${header.slice(0, 60)}, again`);
    }
  }
});

test("what is refused is refused each time: two tokens in a header, a token in the URL (checklist 36)", () => {
  const refused = (header: string, url?: string) =>
    assert.throws(
      () => read(header, url),
      (error) => error instanceof AuthError && error.code === "credentials_repeated",
    );
  for (let round = 0; round < 3; round++) {
    assert.equal(read(`Bearer a.b.${signature}`), `a.b.${signature}`);
    refused(`Bearer a.b.${signature}, Bearer a.b.${signature}`);
    refused(`Bearer a.b.${signature}`, `/?access_token=a.b.${signature}`);
  }
});

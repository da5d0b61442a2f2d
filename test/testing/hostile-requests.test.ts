/** Each attack, by an application that it gets into: one that is sound but for a single mistake, and is found out by that alone. */
import assert from "node:assert/strict";
import { createHmac, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import * as jose from "jose";
import { requireAuth } from "../../src/adapters/node.ts";
import {
  createKeySet,
  createVerifier,
  generateKey,
  type PolicyOptions,
  toPublicPem,
  UNTYPED,
} from "../../src/jwt/index.ts";
import { createTestIssuer, expectRejects, hostileRequests, type TestIssuer } from "../../src/testing/index.ts";

const ISSUER = { issuer: "https://auth.example.com", audience: "orders" };

const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  closing.push(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const welcome: RequestListener = (_request, response) => void response.end("welcome");

interface Token {
  readonly text: string;
  /** What is signed. */
  readonly input: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signature: Buffer;
  /** As it is written. */
  readonly signed: string;
}

type Mistake = (token: Token) => boolean | Promise<boolean>;

function readToken(text: string): Token {
  const [head = "", body = "", signed = ""] = text.split(".");
  const json = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  const signature = Buffer.from(signed, "base64url");
  return { text, input: `${head}.${body}`, header: json(head), claims: json(body), signature, signed };
}

/** Lets in whom our own guard lets in, and beside them whom a mistake does. @returns its URL */
function mistaken(issuer: TestIssuer, isLetIn: Mistake): Promise<string> {
  const guarded = requireAuth(issuer.verifier)(welcome);
  return serving(async (request, response) => {
    // A second header is Node's to drop, and no mistake of theirs.
    const [text = "", ...more] = request.headersDistinct.authorization ?? [];
    const isMistaken = await Promise.resolve()
      .then(() => more.length === 0 && isLetIn(readToken(text.replace("Bearer ", ""))))
      .catch(() => false);
    return isMistaken ? welcome(request, response) : guarded(request, response);
  });
}

/** What a report names, without the outcomes. */
function namesIn(message: string): { entry: string[]; strictness: string[] } {
  const [, list = ""] = /were not refused: (.*)$/s.exec(message) ?? [];
  const [entry = "", lax = ""] = list.split(/(?:\. And )?laxer than [^:]*: /);
  const namesOf = (text: string) => text.split("; ").flatMap((one) => one.replace(/ \([^(]*\)$/, "") || []);
  return { entry: namesOf(entry), strictness: namesOf(lax) };
}

async function reportOf(route: string, issuer: TestIssuer): Promise<string> {
  return expectRejects(route, { issuer }).then(
    () => "",
    (error: Error) => error.message,
  );
}

/** The mistake is found out by exactly these. */
function finds(
  title: string,
  names: readonly string[],
  isLetIn: (issuer: TestIssuer) => Mistake,
  issuer = createTestIssuer(ISSUER),
) {
  test(title, async () => {
    const found = namesIn(await reportOf(await mistaken(issuer, isLetIn(issuer)), issuer));
    assert.deepEqual([...found.entry, ...found.strictness].sort(), [...names].sort());
  });
}

const hasMac = ({ header, input, signed }: Token, secret: string | Buffer): boolean =>
  header.alg === "HS256" && createHmac("sha256", secret).update(input).digest("base64url") === signed;

const isSignedBy = ({ header, input, signature }: Token, key: KeyObject): boolean =>
  header.alg === "ES256"
    ? verify("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }, signature)
    : verify(header.alg === "EdDSA" ? null : "sha256", Buffer.from(input), key, signature);

/** The same rules but for one. */
function accepts({ text }: Token, { key }: TestIssuer, rules: Partial<PolicyOptions>): boolean {
  const all = { ...ISSUER, keys: createKeySet([key]), claimValues: { typ: "at+jwt" }, ...rules };
  try {
    createVerifier(all).verify(text);
    return true;
  } catch {
    return false;
  }
}

finds("an alg none in a spelling of its own (checklist 2)", ["alg nOnE"], () => ({ header, signed }) => {
  const { alg } = header as { alg: string };
  return alg.toLowerCase() === "none" && alg !== "none" && alg !== "NONE" && signed === "";
});

finds(
  "a MAC that is compared until the shorter one ends (checklist 9)",
  ["a signature without its last letter"],
  ({ secret }) =>
    ({ input, signed }) =>
      signed.length >= 42 &&
      signed.length < 43 &&
      createHmac("sha256", secret).update(input).digest("base64url").startsWith(signed),
);

finds(
  "no kid, and so no secret",
  ["an empty secret, and no kid"],
  () => (token) => token.header.kid === undefined && hasMac(token, ""),
);

{
  const issuer = createTestIssuer(ISSUER);
  const folder = mkdtempSync(join(tmpdir(), "latchkey-keys-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, issuer.key.kid), issuer.secret);
  const isLinux = process.platform === "linux";
  const known = isLinux ? ["a kid that is a path to a known text"] : [];
  finds(
    "a kid that names a file: whoever names /dev/null knows the secret (checklist 11)",
    ["a kid that is a path", ...known],
    ({ key }) =>
      async (token) =>
        token.header.kid !== key.kid && hasMac(token, await readFile(`${folder}/${token.header.kid}`)),
    issuer,
  );
  if (isLinux) {
    finds(
      "a kid that names a file, where no secret may be empty (checklist 11)",
      ["a kid that is a path to a known text, trimmed"],
      ({ key }) =>
        async (token) => {
          if (token.header.kid === key.kid) return false;
          const secret = (await readFile(join(folder, String(token.header.kid)), "utf8")).trim();
          return secret !== "" && hasMac(token, secret);
        },
      issuer,
    );
  }
}

for (const [i, columns] of ["secret", "kid, secret", "kid, secret, made_at"].entries()) {
  const name = ["a kid that is SQL", "a kid that is SQL (two columns)", "a kid that is SQL (three columns)"][
    i
  ] as string;
  finds(`a kid that is put into a statement: select ${columns} (checklist 11)`, [name], ({ key, secret }) => {
    const database = new DatabaseSync(":memory:");
    closing.push(() => database.close());
    database.exec("create table keys (kid text, secret text, made_at text)");
    database.prepare("insert into keys values (?, ?, '2026')").run(key.kid, secret);
    return (token) => {
      if (token.header.kid === key.kid) return false;
      const row =
        database.prepare(`select ${columns} from keys where kid = '${token.header.kid}' and made_at <> ''`).get() ?? {};
      return hasMac(token, row.secret as string);
    };
  });
}

// Whatever the application's own algorithm is: it may have pinned that.
for (const alg of ["HS256", "ES256", "RS256", "EdDSA"] as const) {
  const issuer = createTestIssuer(alg === "HS256" ? ISSUER : { ...ISSUER, key: generateKey(alg) });
  const isPinned = ({ header }: Token) => header.alg === (alg === "HS256" ? "RS256" : alg);
  const jwk = "a key in the header (jwk)";
  finds(
    `a key that the token brings along (jwk), ${alg} (checklist 10)`,
    [jwk, `${jwk}, with a kid of ours`],
    () => (token) =>
      isPinned(token) && isSignedBy(token, createPublicKey({ key: token.header.jwk as object, format: "jwk" })),
    issuer,
  );
  const x5c = "a certificate in the header (x5c)";
  finds(
    `a certificate that the token brings along (x5c), ${alg} (checklist 10)`,
    [x5c, `${x5c}, with a kid of ours`],
    () => (token) => {
      const [first = ""] = token.header.x5c as string[];
      const certificate = new X509Certificate(Buffer.from(first, "base64"));
      return isPinned(token) && certificate.verify(certificate.publicKey) && isSignedBy(token, certificate.publicKey);
    },
    issuer,
  );
}

const jku = "an address of keys in the header (jku)";
const x5u = "an address of a certificate in the header (x5u)";

test("keys that are fetched from where the token says (jku): whoever signs gets in, and what is asked in vain is found as well (checklist 10)", async () => {
  const issuer = createTestIssuer(ISSUER);
  const message = await reportOf(
    await mistaken(issuer, async ({ text, header }) => {
      await jose.jwtVerify(text, jose.createRemoteJWKSet(new URL(header.jku as string)), { algorithms: ["RS256"] });
      return true;
    }),
    issuer,
  );
  assert.match(message, /^3 of \d+ attacks were not refused: /);
  assert.ok(message.includes(`${jku} (200, and asked the address in the token)`), message);
  assert.ok(message.includes(`${jku}, with a kid of ours (200, and asked the address in the token)`), message);
  assert.ok(message.includes(`${jku}, https (401, and asked the address in the token)`), message);
});

finds("an address that is asked only over https (checklist 10)", [`${jku}, https`], () => async ({ header }) => {
  if (String(header.jku).startsWith("https:")) await fetch(String(header.jku));
  return false;
});

finds(
  "an address that is asked after the answer (checklist 10)",
  [x5u, `${x5u}, with a kid of ours`],
  () =>
    ({ header }) => {
      if (header.x5u !== undefined) setTimeout(() => void fetch(String(header.x5u)), 10);
      return false;
    },
);

test("a certificate that is fetched from where the token says (x5u) (checklist 10)", async () => {
  const issuer = createTestIssuer(ISSUER);
  const url = await mistaken(issuer, async (token) => {
    const pem = await (await fetch(String(token.header.x5u))).text();
    return isSignedBy(token, new X509Certificate(pem).publicKey);
  });
  const message = await reportOf(url, issuer);
  assert.match(message, /^2 of \d+ attacks/);
  assert.ok(message.includes(`${x5u} (200, and asked the address in the token)`), message);
});

finds("a kid that is an address (checklist 11)", ["a kid that is an address"], () => async (token) => {
  const { keys } = (await (await fetch(String(token.header.kid))).json()) as jose.JSONWebKeySet;
  return isSignedBy(token, createPublicKey({ key: keys[0] as object, format: "jwk" }));
});

test("an issuer whom the application believes because it has keys, found as OpenID Connect has it (checklist 21)", async () => {
  const issuer = createTestIssuer({ ...ISSUER, key: generateKey("ES256") });
  const url = await mistaken(issuer, async ({ text, claims }) => {
    const { iss } = claims as { iss: string };
    const found = (await (await fetch(`${iss}/.well-known/openid-configuration`)).json()) as Record<string, string>;
    assert.equal(found.issuer, iss);
    await jose.jwtVerify(text, jose.createRemoteJWKSet(new URL(found.jwks_uri as string)), { issuer: found.issuer });
    return true;
  });
  const message = await reportOf(url, issuer);
  assert.match(message, /refused: another issuer, with keys of its own \(200, and asked the address in the token\)$/);
});

finds(
  "an audience that is searched for ours (checklist 22)",
  ["an audience with more behind it"],
  (issuer) => (token) => {
    const { aud } = token.claims as { aud: string };
    return aud !== "orders" && aud.includes("orders") && accepts(token, issuer, { audience: aud });
  },
);

finds("an audience that ours begins with (checklist 22)", ["an audience cut short"], (issuer) => (token) => {
  const { aud } = token.claims as { aud: string };
  return aud !== "orders" && "orders".startsWith(aud) && accepts(token, issuer, { audience: aud });
});

finds("an issuer that begins with ours (checklist 21)", ["an issuer with more behind it"], (issuer) => (token) => {
  const { iss } = token.claims as { iss: string };
  return iss !== ISSUER.issuer && iss.startsWith(ISSUER.issuer) && accepts(token, issuer, { issuer: iss });
});

finds("an issuer that ours begins with (checklist 21)", ["an issuer cut short"], (issuer) => (token) => {
  const { iss } = token.claims as { iss: string };
  return iss !== ISSUER.issuer && ISSUER.issuer.startsWith(iss) && accepts(token, issuer, { issuer: iss });
});

finds(
  "tokens that say nothing of their kind (checklist 24)",
  ["an ID token", "an ID token without a typ", "a refresh token"],
  (issuer) => (token) => accepts(token, issuer, { typ: UNTYPED, claimValues: {} }),
);

finds(
  "ID tokens, where only refresh tokens are told apart (checklist 24)",
  ["an ID token", "an ID token without a typ"],
  (issuer) => (token) => token.claims.type !== "refresh" && accepts(token, issuer, { typ: UNTYPED, claimValues: {} }),
);

finds(
  "refresh tokens, where only ID tokens are told apart (checklist 57)",
  ["a refresh token"],
  (issuer) => (token) => token.claims.nonce === undefined && accepts(token, issuer, { typ: UNTYPED, claimValues: {} }),
);

finds(
  "ten minutes of tolerance for what has expired (checklist 18)",
  ["expired two minutes ago"],
  (issuer) => (token) => accepts(token, issuer, { system: { now: () => issuer.system.now() - 600 } }),
);

finds(
  "five minutes of tolerance for what is not yet valid (checklist 19)",
  ["not yet valid for two minutes (nbf)"],
  (issuer) => (token) => accepts(token, issuer, { system: { now: () => issuer.system.now() + 300 } }),
);

test("a token in the URL, by the names that it has there (checklist 36)", async () => {
  const issuer = createTestIssuer(ISSUER);
  const guarded = requireAuth(issuer.verifier)(welcome);
  for (const name of ["jwt", "auth_token"]) {
    const url = await serving((request, response) => {
      if (new URL(request.url ?? "", "http://localhost").searchParams.has(name)) return welcome(request, response);
      guarded(request, response);
    });
    assert.deepEqual(namesIn(await reportOf(url, issuer)).strictness, [`a good token in the URL (${name})`]);
  }
});

test("a token in the URL of a route that has a query of its own (checklist 36)", async () => {
  const issuer = createTestIssuer(ISSUER);
  const guarded = requireAuth(issuer.verifier)(welcome);
  const url = await serving((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    assert.equal(searchParams.get("page"), "1");
    if (searchParams.has("access_token")) return welcome(request, response);
    guarded(request, response);
  });
  assert.deepEqual(namesIn(await reportOf(`${url}?page=1`, issuer)).strictness, ["a good token in the URL"]);
});

type Form = readonly [name: string, of: (key: KeyObject, pem: string) => string | Buffer];
const FORMS: readonly Form[] = [
  ["a public key as secret", (_key, pem) => pem],
  ["a public key as secret (trimmed)", (_key, pem) => pem.trim()],
  ["a public key as secret (in one line)", (_key, pem) => pem.replaceAll("\n", "")],
  ["a public key as secret (DER)", (key) => key.export({ type: "spki", format: "der" })],
  ["a public key as secret (JWK, bare)", (key) => JSON.stringify(key.export({ format: "jwk" }))],
];
const RSA_FORMS: readonly Form[] = [
  ["a public key as secret (PKCS#1)", (key) => key.export({ type: "pkcs1", format: "pem" })],
  ["a public key as secret (PKCS#1, trimmed)", (key) => String(key.export({ type: "pkcs1", format: "pem" })).trim()],
  ["a public key as secret (PKCS#1, DER)", (key) => key.export({ type: "pkcs1", format: "der" })],
];
const RAW: Form = [
  "a public key as secret (raw)",
  (key) => Buffer.from(key.export({ format: "jwk" }).x as string, "base64url"),
];

for (const [alg, forms] of [
  ["RS256", [...FORMS, ...RSA_FORMS]],
  ["ES256", FORMS],
  ["EdDSA", [...FORMS, RAW]],
] as const) {
  const key = generateKey(alg);
  const issuer = createTestIssuer({ ...ISSUER, key });
  const pem = toPublicPem(key);
  for (const [name, form] of forms) {
    // The token says how it is verified.
    finds(
      `${name}, ${alg} (checklist 1, 3)`,
      [name],
      () => (token) => hasMac(token, form(createPublicKey(pem), pem)),
      issuer,
    );
  }
}

test("what a sound jose is accused of lets nobody in by itself, and the report says so", async () => {
  const strict = {
    ...{ ...ISSUER, typ: "at+jwt", requiredClaims: ["sub", "exp", "iat"] },
    ...{ maxTokenAge: "1h", clockTolerance: 5 },
  };
  const lax = [
    "unencoded claims (b64)",
    "compressed claims (zip)",
    "exp infinite",
    "valid for ten years",
    "a subject that is no text",
    "two values for one name",
    "9 KiB",
    "two Authorization headers",
  ];
  const withJose = (issuer: TestIssuer, verified: (token: string) => Promise<unknown>) =>
    serving((request, response) => {
      const [, token = ""] = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? "") ?? [];
      verified(token).then(
        () => welcome(request, response),
        () => response.writeHead(401).end(),
      );
      assert.equal(issuer.issuer, ISSUER.issuer);
    });
  for (const alg of ["ES256", "RS256", "EdDSA"] as const) {
    const issuer = createTestIssuer({ ...ISSUER, key: generateKey(alg) });
    const keys = jose.createLocalJWKSet(issuer.jwks() as jose.JSONWebKeySet);
    const url = await withJose(issuer, (token) => jose.jwtVerify(token, keys, { ...strict, algorithms: [alg] }));
    const message = await reportOf(url, issuer);
    assert.deepEqual(namesIn(message), { entry: [], strictness: lax });
    assert.match(
      message,
      /refused: laxer than RFC 8725 and RFC 6750 ask, though by this alone nobody gets in: unencoded/,
    );
    await expectRejects(url, { issuer, allow: lax });
  }
  const issuer = createTestIssuer(ISSUER);
  const secret = Buffer.from(issuer.secret);
  const url = await withJose(issuer, (token) => jose.jwtVerify(token, secret, { ...strict, algorithms: ["HS256"] }));
  const { entry, strictness } = namesIn(await reportOf(url, issuer));
  assert.deepEqual(entry, []);
  // One secret, which is tried whatever kid a token has.
  assert.deepEqual(strictness.sort(), [...lax, "an unknown kid", "padding"].sort());
});

test("the report names first and apart who gets in", async () => {
  const issuer = createTestIssuer(ISSUER);
  const url = await mistaken(issuer, ({ header, input, signed }) => {
    const isOurs = signed === createHmac("sha256", issuer.secret).update(input).digest("base64url");
    return isOurs && (header.zip !== undefined || header.typ === "rt+jwt");
  });
  assert.match(
    await reportOf(url, issuer),
    /^2 of \d+ attacks were not refused: a token of another kind \(typ\) \(200\)\. And laxer than [^:]*: compressed claims \(zip\) \(200\)$/,
  );
});

test("the attacks are there for a test of one's own, each under a name of its own", () => {
  for (const alg of ["HS256", "ES256", "RS256", "EdDSA", "ML-DSA-65"] as const) {
    const attacks = hostileRequests(createTestIssuer({ key: generateKey(alg) }));
    assert.equal(new Set(attacks.map(({ name }) => name)).size, attacks.length);
    assert.ok(attacks.length >= 79, `${alg}: ${attacks.length}`);
    assert.ok(attacks.some(({ severity }) => severity === "strictness"));
  }
});

test("nothing listens any more when all were sent", async () => {
  const issuer = createTestIssuer(ISSUER);
  let address = "";
  await mistaken(issuer, ({ header }) => {
    if (String(header.jku).startsWith("http:")) address = String(header.jku);
    return false;
  }).then((url) => expectRejects(url, { issuer }));
  await assert.rejects(fetch(address), TypeError);
});

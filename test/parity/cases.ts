/** The requests that are sent to both sides: good ones, bad ones, and ones that are nothing at all. */
import { createHmac } from "node:crypto";
import type { Sent } from "./exchange.ts";

/** Tokens that a side issued itself. */
export interface SideTokens {
  readonly access: string;
  readonly refresh: string;
  /** Of a user who was deleted since. */
  readonly goneAccess: string;
  readonly goneRefresh: string;
  readonly simpleAccess: string;
  readonly simpleRefresh: string;
  readonly goneSimpleAccess: string;
  readonly goneSimpleRefresh: string;
  readonly blacklisted: string;
}

export interface Case {
  readonly name: string;
  request(tokens: SideTokens): Sent;
}

export const PASSWORD = "correct horse battery";
const JSON_TYPE = { "content-type": "application/json" };
const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };

export function makeCases(secret: string): readonly Case[] {
  const now = Math.floor(Date.now() / 1000);
  const cases: Case[] = [];
  const add = (name: string, request: Case["request"]) => {
    if (cases.some((known) => known.name === name)) throw new Error(`two cases are called ${name}`);
    cases.push({ name, request });
  };
  const post = (
    path: string,
    body: string | Uint8Array | undefined,
    headers: Record<string, string> = JSON_TYPE,
  ): Sent => ({
    method: "POST",
    path,
    headers,
    ...(body !== undefined && { body }),
  });

  // Bodies, the same odd ones for every endpoint that reads fields.
  const endpoints: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ["drf login", "/api/auth/login/", { email: "ada@example.com", password: PASSWORD }],
    ["drf refresh", "/api/auth/refresh/", { refresh: "x" }],
    ["simplejwt token", "/api/token/", { username: "ada", password: PASSWORD }],
    ["simplejwt refresh", "/api/token/refresh/", { refresh: "x" }],
    ["simplejwt verify", "/api/token/verify/", { token: "x" }],
    ["simplejwt blacklist", "/api/token/blacklist/", { refresh: "x" }],
  ];
  const oddValues: readonly unknown[] = [
    ...[
      null,
      true,
      false,
      0,
      5,
      -1,
      1.5,
      1e21,
      "",
      " ",
      "\t\n",
      "\u00a0",
      "\u3000",
      [],
      ["x"],
      {},
      { a: 1 },
      "\0",
      "a\0b",
    ],
    ...["é", "😀", "\ud83d", "x".repeat(5000), "\u200b", "\ufeff", "\x1c", "\x85"],
  ];
  for (const [name, path, good] of endpoints) {
    add(`${name}: good fields in JSON`, () => post(path, JSON.stringify(good)));
    add(`${name}: form-encoded`, () => post(path, new URLSearchParams(good).toString(), FORM_TYPE));
    add(`${name}: form-encoded, charset named`, () =>
      post(path, new URLSearchParams(good).toString(), {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
      }),
    );
    add(`${name}: multipart`, () =>
      post(path, multipart(good), { "content-type": "multipart/form-data; boundary=xYx" }),
    );
    add(`${name}: multipart with a file`, () =>
      post(path, multipart(good, "f.txt"), { "content-type": "multipart/form-data; boundary=xYx" }),
    );
    add(`${name}: multipart without boundary`, () =>
      post(path, multipart(good), { "content-type": "multipart/form-data" }),
    );
    add(`${name}: JSON with charset`, () =>
      post(path, JSON.stringify(good), { "content-type": "application/json; charset=utf-8" }),
    );
    add(`${name}: JSON type in capitals`, () =>
      post(path, JSON.stringify(good), { "content-type": "Application/JSON" }),
    );
    add(`${name}: JSON type with a parameter`, () =>
      post(path, JSON.stringify(good), { "content-type": "application/json; v=1" }),
    );
    add(`${name}: text`, () => post(path, JSON.stringify(good), { "content-type": "text/plain" }));
    add(`${name}: XML`, () => post(path, "<a/>", { "content-type": "application/xml; charset=x" }));
    add(`${name}: no body`, () => post(path, undefined, {}));
    add(`${name}: empty JSON`, () => post(path, ""));
    add(`${name}: empty text`, () => post(path, "", { "content-type": "text/plain" }));
    add(`${name}: spaces`, () => post(path, "   "));
    add(`${name}: extra member`, () => post(path, JSON.stringify({ ...good, is_staff: true })));
    for (const body of ["{}", "[]", "null", "3", "1.5", "true", '"text"', "[1]", '[{"a":1}]']) {
      add(`${name}: body ${body}`, () => post(path, body));
    }
    for (const body of ["{", "{'a':1}", '{"a":1,}', "NaN", '{"a":1}x', '{"a":"\\x"}', "\ufeff{}", '{"a":"\n"}']) {
      add(`${name}: broken JSON ${JSON.stringify(body)}`, () => post(path, body));
    }
    add(`${name}: not UTF-8`, () => post(path, Buffer.from([0x7b, 0xff, 0x7d])));
    for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD"]) add(`${name}: ${method}`, () => ({ method, path }));
    add(`${name}: OPTIONS`, () => ({ method: "OPTIONS", path }));
    add(`${name}: without the last slash`, () => post(path.slice(0, -1), JSON.stringify(good)));
    add(`${name}: two last slashes`, () => post(`${path}/`, JSON.stringify(good)));
    for (const accept of ["*/*", "application/json", "text/html", "application/xml;q=0.9", "nonsense"]) {
      add(`${name}: accepts ${accept}`, () => post(path, JSON.stringify(good), { ...JSON_TYPE, accept }));
    }
    add(`${name}: a query is no body`, () => post(`${path}?${new URLSearchParams(good)}`, "{}"));
    for (const field of Object.keys(good)) {
      const { [field]: _, ...others } = good;
      add(`${name}: without ${field}`, () => post(path, JSON.stringify(others)));
      for (const value of oddValues) {
        const shown = JSON.stringify(value);
        add(`${name}: ${field} ${shown.length > 30 ? `${shown.slice(0, 20)}…` : shown}`, () =>
          post(path, JSON.stringify({ ...good, [field]: value })),
        );
      }
    }
  }

  // Credentials.
  for (const [shown, body] of Object.entries({
    "wrong password": { email: "ada@example.com", password: "wrong" },
    "unknown e-mail": { email: "nobody@example.com", password: PASSWORD },
    "another case": { email: "ADA@example.com", password: PASSWORD },
    "another case of the domain": { email: "ada@EXAMPLE.com", password: PASSWORD },
    inactive: { email: "bob@example.com", password: PASSWORD },
    "spaces around": { email: "  ada@example.com ", password: ` ${PASSWORD}\n` },
    "username for e-mail": { email: "ada", password: PASSWORD },
  })) {
    add(`drf login: ${shown}`, () => post("/api/auth/login/", JSON.stringify(body)));
  }
  const addresses = [
    ...[
      "a@b",
      "a@b.c",
      "a@b.cc",
      "@b.cc",
      "a@",
      "a b@c.dd",
      "a@b..cc",
      "a.@b.cc",
      ".a@b.cc",
      "a..b@c.dd",
      '"a b"@c.dd',
    ],
    ...[
      "a@localhost",
      "a@[127.0.0.1]",
      "a@[::1]",
      "a@[x]",
      "a@bücher.example",
      "é@b.cc",
      "a@-b.cc",
      "a@b-.cc",
      "a@b.c-",
      "a@b.11",
    ],
    ...[
      "a+b@c.dd",
      "a@b.cc.",
      "a@@b.cc",
      "a@b_c.dd",
      `${"a".repeat(65)}@b.cc`,
      `a@${"b".repeat(64)}.cc`,
      "a@b.cc\n",
      "mailto:a@b.cc",
    ],
  ];
  for (const email of addresses) {
    add(`drf login: address ${JSON.stringify(email.length > 40 ? `${email.slice(0, 3)}${email.length}` : email)}`, () =>
      post("/api/auth/login/", JSON.stringify({ email, password: "x" })),
    );
  }
  for (const [shown, body] of Object.entries({
    "wrong password": { username: "ada", password: "wrong" },
    "unknown name": { username: "nobody", password: PASSWORD },
    "another case": { username: "ADA", password: PASSWORD },
    inactive: { username: "bob", password: PASSWORD },
    "an e-mail": { username: "ada@example.com", password: PASSWORD },
    "not ASCII": { username: "Zoë", password: PASSWORD },
    "not ASCII, decomposed": { username: "Zoë".normalize("NFD"), password: PASSWORD },
    "spaces around": { username: " ada ", password: ` ${PASSWORD} ` },
  })) {
    add(`simplejwt token: ${shown}`, () => post("/api/token/", JSON.stringify(body)));
  }

  // Tokens, to everything that reads one. Those that are minted are as Django would have issued them.
  const mint = (claims: object | string, options: MintOptions = {}) => signHs256(claims, { secret, ...options });
  const base = { sub: "1", iat: now, exp: now + 280 };
  const simple = { user_id: "1", iat: now, exp: now + 280, jti: "0123456789abcdef0123456789abcdef" };
  const drfKinds = { access: { ...base, type: "access" }, refresh: { ...base, type: "refresh" } };
  const simpleKinds = { access: { ...simple, token_type: "access" }, refresh: { ...simple, token_type: "refresh" } };

  const variants = (claims: Readonly<Record<string, unknown>>, subject: string): Record<string, string> => {
    const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
    const typeClaim = "type" in claims ? "type" : "token_type";
    return {
      "as Django issued it": mint(claims),
      expired: mint({ ...claims, iat: now - 250, exp: now - 100 }),
      "expired just now": mint({ ...claims, iat: now - 250, exp: now - 10 }),
      "without exp": mint(without("exp")),
      "exp null": mint({ ...claims, exp: null }),
      "exp a list": mint({ ...claims, exp: [now + 280] }),
      "exp a text": mint({ ...claims, exp: "soon" }),
      "exp a text of digits": mint({ ...claims, exp: String(now + 280) }),
      "exp infinite": mint(JSON.stringify({ ...claims, exp: 0 }).replace('"exp":0', '"exp":1e999')),
      "exp a fraction": mint({ ...claims, exp: now + 280.5 }),
      "without iat": mint(without("iat")),
      "iat in the future": mint({ ...claims, iat: now + 200 }),
      "nbf in the future": mint({ ...claims, nbf: now + 300 }),
      "nbf in the past": mint({ ...claims, nbf: now - 300 }),
      "with aud": mint({ ...claims, aud: "x" }),
      "with iss": mint({ ...claims, iss: "x" }),
      "without type": mint(without(typeClaim)),
      "type of another kind": mint({ ...claims, [typeClaim]: "other" }),
      "type null": mint({ ...claims, [typeClaim]: null }),
      "type a list": mint({ ...claims, [typeClaim]: ["access"] }),
      "without a user": mint(without(subject)),
      "user a number": mint({ ...claims, [subject]: 1 }),
      "user a word": mint({ ...claims, [subject]: "one" }),
      "user empty": mint({ ...claims, [subject]: "" }),
      "user null": mint({ ...claims, [subject]: null }),
      "user with leading zero": mint({ ...claims, [subject]: "01" }),
      "user beyond all": mint({ ...claims, [subject]: "99999999999999999999999" }),
      "unknown user": mint({ ...claims, [subject]: "424242" }),
      "inactive user": mint({ ...claims, [subject]: "2" }),
      "another secret": mint(claims, { secret: "another secret, of more than 32 bytes" }),
      "alg none": `${mint(claims, { alg: "none" }).split(".").slice(0, 2).join(".")}.`,
      HS512: mint(claims, { alg: "HS512" }),
      "typ at+jwt": mint(claims, { typ: "at+jwt" }),
      "no typ": mint(claims, { typ: undefined }),
      "signature cut": mint(claims).slice(0, -3),
      "signature of another": `${mint(claims).split(".").slice(0, 2).join(".")}.${mint({ ...claims, a: 1 }).split(".")[2]}`,
      "two parts": mint(claims).split(".").slice(0, 2).join("."),
      "four parts": `${mint(claims)}.x`,
      "claims a list": mint("[]"),
      "claims a text": mint('"x"'),
      "claims no JSON": mint("{"),
      "claims twice": mint(JSON.stringify(claims).replace("{", `{"${subject}":"2",`)),
      padded: mint(claims).replace(".", "=."),
      dots: "..",
      "empty parts": "...",
      word: "token",
      "not ASCII": "é.é.é",
    };
  };
  const readers: readonly (readonly [string, Readonly<Record<string, unknown>>, string, (token: string) => Sent])[] = [
    ["drf refresh", drfKinds.refresh, "sub", (refresh) => post("/api/auth/refresh/", JSON.stringify({ refresh }))],
    ["drf guard", drfKinds.access, "sub", (token) => get("/api/me/", `Bearer ${token}`)],
    [
      "simplejwt refresh",
      simpleKinds.refresh,
      "user_id",
      (refresh) => post("/api/token/refresh/", JSON.stringify({ refresh })),
    ],
    [
      "simplejwt verify",
      simpleKinds.access,
      "user_id",
      (token) => post("/api/token/verify/", JSON.stringify({ token })),
    ],
    ["simplejwt guard", simpleKinds.access, "user_id", (token) => get("/api/simple/me/", `Bearer ${token}`)],
  ];
  for (const [reader, claims, subject, request] of readers) {
    for (const [shown, token] of Object.entries(variants(claims, subject))) {
      // A header holds no such characters.
      if (reader.endsWith("guard") && shown === "not ASCII") continue;
      add(`${reader}: token ${shown}`, () => request(token));
    }
  }

  // Tokens of the side itself, in every place.
  const own: Readonly<Record<string, (tokens: SideTokens) => string>> = {
    "own access": ({ access }) => access,
    "own refresh": ({ refresh }) => refresh,
    "own access of one who is gone": ({ goneAccess }) => goneAccess,
    "own refresh of one who is gone": ({ goneRefresh }) => goneRefresh,
    "own simplejwt access": ({ simpleAccess }) => simpleAccess,
    "own simplejwt refresh": ({ simpleRefresh }) => simpleRefresh,
    "own simplejwt access of one who is gone": ({ goneSimpleAccess }) => goneSimpleAccess,
    "own simplejwt refresh of one who is gone": ({ goneSimpleRefresh }) => goneSimpleRefresh,
    blacklisted: ({ blacklisted }) => blacklisted,
  };
  for (const [reader, , , request] of readers) {
    for (const [shown, token] of Object.entries(own)) add(`${reader}: ${shown}`, (tokens) => request(token(tokens)));
    for (const [place, before, after] of [
      ["before", " ", ""],
      ["after", "", " "],
    ] as const) {
      if (reader.endsWith("guard")) continue;
      const pick = reader.startsWith("drf") ? own["own refresh"] : own["own simplejwt refresh"];
      add(`${reader}: a space ${place} a good token`, (tokens) => request(`${before}${pick?.(tokens)}${after}`));
    }
  }
  const blacklist = (refresh: string) => post("/api/token/blacklist/", JSON.stringify({ refresh }));
  for (const shown of [
    "own access",
    "own simplejwt access",
    "blacklisted",
    "own simplejwt refresh of one who is gone",
  ]) {
    add(`simplejwt blacklist: ${shown}`, (tokens) => blacklist(own[shown]?.(tokens) ?? ""));
  }
  for (const shown of ["expired", "without exp", "word", "without type", "another secret", "inactive user"]) {
    const token = variants({ ...simpleKinds.refresh, jti: "b".repeat(32) }, "user_id")[shown] as string;
    add(`simplejwt blacklist: token ${shown}`, () => blacklist(token));
  }

  // The header.
  for (const [name, path, token] of [
    ["drf guard", "/api/me/", ({ access }: SideTokens) => access],
    ["simplejwt guard", "/api/simple/me/", ({ simpleAccess }: SideTokens) => simpleAccess],
  ] as const) {
    const headers: Readonly<Record<string, (token: string) => string>> = {
      Bearer: () => "Bearer",
      "Bearer and a space": () => "Bearer ",
      "small letters": (token) => `bearer ${token}`,
      capitals: (token) => `BEARER ${token}`,
      "two spaces": (token) => `Bearer  ${token}`,
      "a tab": (token) => `Bearer\t${token}`,
      "a word behind": (token) => `Bearer ${token} x`,
      "a comma behind": (token) => `Bearer ${token},`,
      quotes: (token) => `Bearer "${token}"`,
      Token: (token) => `Token ${token}`,
      Basic: () => "Basic YWRhOng=",
      JWT: (token) => `JWT ${token}`,
      "the token alone": (token) => token,
      "Bearer with a colon": (token) => `Bearer: ${token}`,
      "a space before": (token) => ` Bearer ${token}`,
    };
    add(`${name}: no header`, () => ({ method: "GET", path }));
    add(`${name}: empty header`, () => get(path, ""));
    for (const [shown, header] of Object.entries(headers))
      add(`${name}: header ${shown}`, (tokens) => get(path, header(token(tokens))));
    add(`${name}: header with bytes`, (tokens) => get(path, `Bearer ${token(tokens)}\xff`));
    add(`${name}: POST`, (tokens) => ({ ...get(path, `Bearer ${token(tokens)}`), method: "POST" }));
    add(`${name}: HEAD`, (tokens) => ({ ...get(path, `Bearer ${token(tokens)}`), method: "HEAD" }));
  }
  return cases;
}

const get = (path: string, authorization: string): Sent => ({ method: "GET", path, headers: { authorization } });

interface MintOptions {
  readonly secret?: string;
  readonly alg?: "HS256" | "HS512" | "none";
  readonly typ?: string | undefined;
}

/** Signs whatever claims. */
export function signHs256(claims: object | string, options: MintOptions): string {
  const { secret = "", alg = "HS256" } = options;
  const typ = "typ" in options ? options.typ : "JWT";
  const encode = (part: object | string) =>
    Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
  const input = `${encode({ alg, typ })}.${encode(claims)}`;
  const digest = alg === "HS512" ? "sha512" : "sha256";
  return `${input}.${createHmac(digest, secret).update(input).digest("base64url")}`;
}

function multipart(fields: Readonly<Record<string, string>>, fileName?: string): string {
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--xYx\r\nContent-Disposition: form-data; name="${name}"${fileName ? `; filename="${fileName}"` : ""}\r\n\r\n${value}\r\n`,
  );
  return `${parts.join("")}--xYx--\r\n`;
}

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, readConfig, VARIABLES } from "../../src/server/config.ts";
import { temporaryFolder } from "../support/child-server.ts";

const SECRET = "Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0QaEi";
const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
};

test("with nothing set everything has its default", () => {
  const config = readConfig({});
  assert.deepEqual(
    {
      ...config,
      feedTokens: [...config.feedTokens],
      metricsTokens: [...config.metricsTokens],
      djangoBlacklist: [...config.djangoBlacklist],
    },
    {
      isProduction: false,
      secret: undefined,
      rootSecret: undefined,
      databaseUrl: undefined,
      algorithm: "HS256",
      keyRotation: 30 * 24 * 3600,
      jwksMaxAge: 300,
      accessTtl: 900,
      sessionIdleTtl: 30 * 86_400,
      sessionMaxAge: 90 * 86_400,
      refreshGrace: 20,
      auditRetention: 365 * 24 * 60 * 60,
      limits: "on",
      loginFailures: 5,
      loginFailuresPerAddress: 100,
      issuer: "latchkey",
      audience: "latchkey",
      dataDir: "latchkey-data",
      host: "127.0.0.1",
      port: 8000,
      console: true,
      documents: "docs",
      cookies: true,
      allowedOrigins: [],
      feedTokens: [],
      proxyCount: 0,
      maxConnections: 10_000,
      bodyLimit: 65_536,
      headersTimeout: 10,
      requestTimeout: 30,
      keepAliveTimeout: 65,
      drainDelay: 0,
      drainTimeout: 10,
      metricsTokens: [],
      metricsPort: undefined,
      metricsHost: "127.0.0.1",
      tracing: false,
      contracts: ["latchkey"],
      drfPath: "/api/auth",
      simplejwtPath: "/api/token",
      djangoAccessTtl: undefined,
      djangoRefreshTtl: undefined,
      djangoRotation: "fixed",
      djangoTokens: "refuse",
      djangoRefreshKey: "derived",
      djangoRevokeCheck: "off",
      djangoBlacklist: [],
      passwordFormat: "argon2id",
      usersTable: undefined,
      usersColumns: undefined,
      usersFreshness: "live",
    },
  );
});

test("the dialects of Django are named, and what they are to do is said in words", () => {
  const config = readConfig({
    LATCHKEY_CONTRACTS: "latchkey, drf,simplejwt",
    LATCHKEY_PASSWORD_FORMAT: "django:260000",
  });
  assert.deepEqual(config.contracts, ["latchkey", "drf", "simplejwt"]);
  assert.deepEqual(config.passwordFormat, { format: "django", iterations: 260_000 });
  for (const wrong of ["drf,drf", "rest", "drf,", "DRF"]) {
    assert.match(problemsOf({ LATCHKEY_CONTRACTS: wrong })[0] ?? "", /^LATCHKEY_CONTRACTS must name/);
  }
  for (const wrong of ["md5", "django:1000", "django:9999999", "django:"]) {
    assert.match(problemsOf({ LATCHKEY_PASSWORD_FORMAT: wrong })[0] ?? "", /^LATCHKEY_PASSWORD_FORMAT must be/);
  }
  for (const wrong of ["api", "/a b", "//", "/../x/%2e"]) {
    assert.match(problemsOf({ LATCHKEY_DRF_PATH: wrong })[0] ?? "", /^LATCHKEY_DRF_PATH must be a path/);
  }
  const both = { LATCHKEY_CONTRACTS: "drf,simplejwt", LATCHKEY_DRF_PATH: "/api/token/" };
  assert.match(problemsOf(both)[0] ?? "", /must differ/);
  assert.match(problemsOf({ LATCHKEY_DJANGO_ACCESS_MINUTES: "0" })[0] ?? "", /from 1 to 1440/);
});

test("a Django secret shorter than 32 bytes is refused with the way out", () => {
  const problems = problemsOf({ LATCHKEY_CONTRACTS: "drf", JWT_SECRET_KEY: "a-short-django-secret" });
  assert.match(problems.join("\n"), /has 21 bytes and needs at least 32[\s\S]*give Django a stronger one first/);
  assert.doesNotMatch(problemsOf({ JWT_SECRET_KEY: "a-short-django-secret" }).join("\n"), /Django/);
});

test("an empty value counts as absent, for every setting", () => {
  const empty = Object.fromEntries(VARIABLES.map(({ name }) => [name, ""]));
  assert.deepEqual(readConfig(empty), readConfig({}));
});

test("a value that is wrong, out of range or of another type is named, with what would be right", () => {
  const wrong: readonly [name: string, values: readonly string[]][] = [
    ["PORT", ["-1", "65536", "80.5", "0x50", " 80", "eighty", "99999999999"]],
    ["JWT_ALGORITHM", ["none", "hs256", "RS1", "HS256 "]],
    ["JWT_ACCESS_TOKEN_EXPIRE_MINUTES", ["0", "1441", "15m"]],
    ["REFRESH_TOKEN_TTL_DAYS", ["0", "3651", "thirty"]],
    ["LATCHKEY_SESSION_MAX_DAYS", ["0", "x"]],
    ["LATCHKEY_REFRESH_GRACE_SECONDS", ["-1", "301"]],
    ["NUMBER_OF_PROXIES", ["17", "-1", "one"]],
    ["LATCHKEY_FEED_TOKENS", ["short", `${SECRET},short`, "ü".repeat(40)]],
    ["DATABASE_URL", ["mysql://localhost/x", "http://localhost"]],
    ["JWT_SECRET_KEY", ["short", "q".repeat(64)]],
    ["LATCHKEY_ROOT_SECRET", ["short", `1:${SECRET} 1:${SECRET}`, `0:${SECRET}`]],
  ];
  for (const [name, values] of wrong) {
    for (const value of values) {
      const problems = problemsOf({ [name]: value });
      assert.equal(problems.length, 1, `${name}=${value}: ${problems.join()}`);
      assert.ok(problems[0]?.startsWith(`${name} `), problems.join());
    }
  }
});

test("settings that contradict each other are named", () => {
  assert.match(
    problemsOf({ REFRESH_TOKEN_TTL_DAYS: "91" }).join(),
    /^REFRESH_TOKEN_TTL_DAYS must not be more than LATCHKEY_SESSION_MAX_DAYS/,
  );
  assert.match(
    problemsOf({ JWT_SECRET_KEY: SECRET, JWT_ALGORITHM: "HS384" }).join(),
    /^JWT_SECRET_KEY has 34 bytes and HS384 needs at least 48/,
  );
});

test("NAME_FILE names a file with the value; a missing one and both at once are named", () => {
  const folder = temporaryFolder();
  const file = join(folder, "secret");
  writeFileSync(file, `${SECRET}\n`);
  assert.equal(readConfig({ JWT_SECRET_KEY_FILE: file }).secret, SECRET);
  writeFileSync(file, "8123");
  assert.equal(readConfig({ PORT_FILE: file }).port, 8123);
  writeFileSync(file, "");
  assert.equal(readConfig({ PORT_FILE: file }).port, 8000);
  assert.match(
    problemsOf({ JWT_SECRET_KEY_FILE: join(folder, "missing") }).join(),
    /^JWT_SECRET_KEY can't be read from JWT_SECRET_KEY_FILE=.*ENOENT$/,
  );
  assert.match(problemsOf({ JWT_SECRET_KEY_FILE: folder }).join(), /EISDIR/);
  assert.match(problemsOf({ PORT: "1", PORT_FILE: file }).join(), /^PORT is set twice/);
  rmSync(folder, { recursive: true });
});

test("production wants a secret, beside every other problem", () => {
  const problems = problemsOf({ NODE_ENV: "production", PORT: "x", JWT_ALGORITHM: "none" });
  assert.deepEqual(problems.map((problem) => problem.split(" ")[0]).sort(), [
    "JWT_ALGORITHM",
    "JWT_SECRET_KEY",
    "PORT",
  ]);
});

test("no environment makes it fail with anything but its own error, and no secret is in a message (checklist 89)", () => {
  const names = VARIABLES.map(({ name }) => name);
  const values = fc.oneof(
    fc.string(),
    fc.string().map((text) => `h1dden${text}`),
    fc.constantFrom("production", "0", "-1", "1:h1dden 2:y", "postgres://u:h1dden@h/d"),
  );
  const environments = fc.dictionary(fc.constantFrom(...names, "NODE_ENV"), values);
  const isSecret = (name: string) => VARIABLES.some((variable) => variable.name === name && variable.isSecret);
  fc.assert(
    fc.property(environments, (env) => {
      const secrets = Object.fromEntries(Object.entries(env).filter(([name]) => isSecret(name)));
      assert.ok(!problemsOf(secrets).join().includes("h1dden"));
      problemsOf(env);
    }),
    { numRuns: 1000 },
  );
});

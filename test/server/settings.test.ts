/** Every setting, each way in which it can be wrong: a row that is added to the table has to be added here. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Config, ConfigError, readConfig, VARIABLES } from "../../src/server/config.ts";
import { temporaryFolder } from "../support/child-server.ts";

const SECRET = "Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0QaEi";
const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

/** What each takes (two values that are no default), and what it does not: of another type, out of range, twice the same, close but wrong. */
const VALUES: Readonly<Record<string, { readonly good: readonly string[]; readonly bad: readonly string[] }>> = {
  JWT_SECRET_KEY: {
    good: [SECRET, `2:${SECRET} 1:${SECRET}x`],
    bad: ["short", `1:${SECRET} 1:${SECRET}`, "q".repeat(40)],
  },
  JWT_ALGORITHM: { good: ["EdDSA", "ES256"], bad: ["none", "hs256", "HS256,RS256", "RS1"] },
  LATCHKEY_KEY_ROTATION_DAYS: { good: ["1", "3650"], bad: ["0", "3651", "1.5", "30d"] },
  LATCHKEY_JWKS_MAX_AGE_SECONDS: { good: ["0", "86400"], bad: ["-1", "86401", "5m"] },
  JWT_ACCESS_TOKEN_EXPIRE_MINUTES: { good: ["1", "1440"], bad: ["0", "1441", "15m", "1e2"] },
  REFRESH_TOKEN_TTL_DAYS: { good: ["1", "90"], bad: ["0", "3651", "91", "thirty"] },
  LATCHKEY_SESSION_MAX_DAYS: { good: ["31", "3650"], bad: ["0", "29", "3651", "x"] },
  LATCHKEY_REFRESH_GRACE_SECONDS: { good: ["0", "300"], bad: ["-1", "301", "20s"] },
  LATCHKEY_AUDIT_DAYS: { good: ["1", "3650"], bad: ["0", "3651", "x"] },
  LATCHKEY_LIMITS: { good: ["off"], bad: ["On", "false", "0"] },
  LATCHKEY_LOGIN_FAILURES: { good: ["1", "1000"], bad: ["0", "1001", "five"] },
  LATCHKEY_LOGIN_FAILURES_PER_ADDRESS: { good: ["1", "1000000"], bad: ["0", "1000001", "-5"] },
  LATCHKEY_ISSUER: { good: ["https://auth.example.com", "x"], bad: [] },
  LATCHKEY_AUDIENCE: { good: ["none", "api"], bad: [] },
  LATCHKEY_ROOT_SECRET: { good: [SECRET, `1:${SECRET}`], bad: ["short", `0:${SECRET}`, `65536:${SECRET}`] },
  DATABASE_URL: {
    good: ["postgres://u:p@db.example:5432/d", "sqlite:x.db"],
    bad: ["mysql://localhost/x", "http://localhost", "postgresq://localhost/x"],
  },
  LATCHKEY_DATA_DIR: { good: ["/var/lib/latchkey", "x"], bad: [] },
  HOST: { good: ["0.0.0.0", "::1"], bad: [] },
  PORT: { good: ["0", "65535"], bad: ["-1", "65536", "80.5", "0x50", " 80", "eighty", "99999999999"] },
  LATCHKEY_CONSOLE: { good: ["off"], bad: ["true", "ON", "1"] },
  LATCHKEY_DOCS: { good: ["off"], bad: ["true", "ON", "1"] },
  LATCHKEY_COOKIES: { good: ["off"], bad: ["true", "ON", "1"] },
  LATCHKEY_ALLOWED_ORIGINS: {
    good: ["https://app.example.com", "https://a.example,https://b.example"],
    bad: ["*", "app.example.com", "https://app.example.com/path", "null", "https://*.example.com"],
  },
  LATCHKEY_FEED_TOKENS: { good: [SECRET, `${SECRET},${SECRET}x`], bad: ["short", `${SECRET},short`, "ü".repeat(40)] },
  NUMBER_OF_PROXIES: { good: ["1", "16"], bad: ["17", "-1", "one"] },
  LATCHKEY_MAX_CONNECTIONS: { good: ["1", "1000000"], bad: ["0", "1000001", "many"] },
  LATCHKEY_BODY_LIMIT_KIB: { good: ["4", "1024"], bad: ["3", "1025", "64KiB"] },
  LATCHKEY_HEADERS_TIMEOUT_SECONDS: { good: ["1", "30"], bad: ["0", "121", "31", "10s"] },
  LATCHKEY_REQUEST_TIMEOUT_SECONDS: { good: ["10", "600"], bad: ["0", "601", "9", "x"] },
  LATCHKEY_KEEP_ALIVE_SECONDS: { good: ["1", "600"], bad: ["0", "601", "1m"] },
  LATCHKEY_DRAIN_DELAY_SECONDS: { good: ["1", "300"], bad: ["-1", "301", "5s"] },
  LATCHKEY_DRAIN_TIMEOUT_SECONDS: { good: ["1", "300"], bad: ["0", "301", "5s"] },
  LATCHKEY_METRICS_TOKENS: { good: [SECRET, `${SECRET},${SECRET}x`], bad: ["short", `${SECRET},short`] },
  LATCHKEY_METRICS_PORT: { good: ["0", "9464"], bad: ["-1", "65536", "8000", "x"] },
  LATCHKEY_METRICS_HOST: { good: ["0.0.0.0", "::1"], bad: [] },
  LATCHKEY_TRACING: { good: ["on"], bad: ["true", "ON", "1"] },
  LATCHKEY_CONTRACTS: { good: ["drf", "latchkey,simplejwt"], bad: ["rest", "drf,drf", "drf,", "DRF"] },
  LATCHKEY_DRF_PATH: { good: ["/auth", "/a/b/"], bad: ["api", "/a b", "//", "/x/%2e"] },
  LATCHKEY_SIMPLEJWT_PATH: { good: ["/auth", "/a/b/"], bad: ["api", "/a b", "//"] },
  LATCHKEY_DJANGO_ACCESS_MINUTES: { good: ["1", "1440"], bad: ["0", "1441", "5m"] },
  LATCHKEY_DJANGO_REFRESH_HOURS: { good: ["1", "8760"], bad: ["0", "8761", "1d"] },
  LATCHKEY_DJANGO_REFRESH: { good: ["rotating"], bad: ["rotate", "FIXED"] },
  LATCHKEY_DJANGO_TOKENS: { good: ["allow"], bad: ["yes", "Allow"] },
  LATCHKEY_DJANGO_BLACKLIST: {
    good: ["0".repeat(32), `${"a".repeat(32)} ${"b".repeat(32)}`],
    bad: ["x", "A".repeat(32)],
  },
  LATCHKEY_DJANGO_REFRESH_KEY: { good: ["shared"], bad: ["share", "DERIVED"] },
  LATCHKEY_DJANGO_REVOKE_CHECK: { good: ["on"], bad: ["true", "1"] },
  LATCHKEY_PASSWORD_FORMAT: {
    good: ["django", "django:260000"],
    bad: ["md5", "django:1000", "django:9999999", "django:"],
  },
  LATCHKEY_USERS_TABLE: { good: ["auth_user", "public.auth_user"], bad: ["auth user", 'a"b', "a.b.c"] },
  LATCHKEY_USERS_COLUMNS: {
    good: ["email=mail", "email=mail,lastName=none"],
    bad: ["mail", "nonsense=x", "email=a b"],
  },
  LATCHKEY_USERS_FRESHNESS: { good: ["feed"], bad: ["token", "LIVE"] },
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
}

const settingOf = (key: string, env: Record<string, string>) => readConfig(env)[key as keyof Config];
const fileWith = (value: string) => {
  const path = join(folder, "value");
  writeFileSync(path, `${value}\n`);
  return path;
};

test("every setting has its values here, and no other has", () => {
  const others = VARIABLES.map(({ name }) => name).filter((name) => !(name in VALUES));
  assert.deepEqual(others, [], "add what they take, and what they do not");
  assert.deepEqual(
    Object.keys(VALUES).filter((name) => !VARIABLES.some((variable) => variable.name === name)),
    [],
  );
});

for (const { name, key, isSecret } of VARIABLES) {
  describe(name, () => {
    const { good, bad } = VALUES[name] ?? { good: ["x"], bad: [] };

    test("is taken, from the environment and from a file alike", () => {
      for (const value of good) {
        assert.deepEqual(problemsOf({ [name]: value }), [], value);
        const own = settingOf(key, { [name]: value });
        assert.notDeepEqual(own, settingOf(key, {}), `${value} is the default`);
        assert.deepEqual(settingOf(key, { [`${name}_FILE`]: fileWith(value) }), own);
      }
    });

    test("is named when it is wrong, one problem for each, and a secret is not repeated (checklist 89, 100)", () => {
      for (const value of bad) {
        const problems = problemsOf({ [name]: value });
        assert.equal(problems.length, 1, `${JSON.stringify(value)}: ${problems.join(" · ") || "taken"}`);
        const [problem = ""] = problems;
        assert.ok(problem.includes(name), problem);
        if (isSecret && value.length > 5) assert.ok(!problem.includes(value), problem);
        assert.deepEqual(problemsOf({ [`${name}_FILE`]: fileWith(value) }), problems, "from a file as well");
      }
    });

    test("is absent when it is empty, said twice when it is in a file too, and missing when the file is", () => {
      assert.deepEqual(settingOf(key, { [name]: "" }), settingOf(key, {}));
      assert.deepEqual(settingOf(key, { [`${name}_FILE`]: "" }), settingOf(key, {}));
      const value = good[0] as string;
      const twice = problemsOf({ [name]: value, [`${name}_FILE`]: fileWith(value) });
      assert.ok(twice.some((problem) => problem.startsWith(`${name} is set twice: unset either it or ${name}_FILE`)));
      const path = join(folder, "missing");
      const missing = problemsOf({ [`${name}_FILE`]: path });
      assert.ok(
        missing.some((problem) => problem.startsWith(`${name} can't be read from ${name}_FILE=`)),
        missing.join(),
      );
      assert.ok(problemsOf({ [`${name}_FILE`]: folder }).some((problem) => problem.includes("EISDIR")));
    });
  });
}

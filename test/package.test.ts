/** What is published: packed, installed into an empty project, and used there as a stranger would. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { call, ROOT, temporaryFolder } from "./support/child-server.ts";
import { PASSWORD, TEST_SECRET } from "./support/engine.ts";

const MEBIBYTE = 1024 * 1024;
const folder = temporaryFolder();
const project = join(folder, "project");
const modules = join(project, "node_modules");
after(() => rmSync(folder, { recursive: true, force: true }));

/** The Node that runs the tests, and its npm or the host's. */
const environment = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  NODE_COMPILE_CACHE: "",
};

function npm(args: readonly string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync("npm", [...args, "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd,
    env: environment,
    encoding: "utf8",
    timeout: 240_000,
    shell: process.platform === "win32",
  });
  return { status, stdout, stderr };
}

/** Runs a module in the project. */
function node(code: string) {
  const file = join(project, "program.mjs");
  writeFileSync(file, code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    cwd: project,
    env: environment,
    encoding: "utf8",
    timeout: 120_000,
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

let tarball = "";
before(() => {
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  const packed = npm(["pack", "--silent", "--pack-destination", folder], ROOT);
  assert.equal(packed.status, 0, packed.stderr);
  tarball = join(folder, packed.stdout.trim().split("\n").at(-1) as string);
  // From the cache of the installation that the tests run in; from the registry only where that is not complete.
  const offline = npm(["install", "--offline", tarball], project);
  const installed = offline.status === 0 ? offline : npm(["install", "--prefer-offline", tarball], project);
  assert.equal(installed.status, 0, `${offline.stderr}\n${installed.stderr}`);
});

describe("the package", () => {
  test("installs at most 30 packages and 15 MB, and none has an install script (checklist 99)", () => {
    const { packages } = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")) as {
      packages: Record<string, { hasInstallScript?: true }>;
    };
    const names = Object.keys(packages);
    assert.ok(names.includes("node_modules/latchkey"));
    assert.ok(names.length <= 30, `${names.length} packages: ${names.join(", ")}`);
    assert.deepEqual(
      names.filter((name) => packages[name]?.hasInstallScript),
      [],
    );
    const onDisk = (path: string) => lstatSync(join(modules, path)).blocks * 512;
    const size = globSync("**", { cwd: modules }).reduce((sum, path) => sum + onDisk(path), 0);
    assert.ok(size <= 15 * MEBIBYTE, `${(size / MEBIBYTE).toFixed(1)} MiB on disk`);
  });

  test("has what it says, nothing that it should not have, and the licences of what is inside it", () => {
    const own = join(modules, "latchkey");
    const files = globSync("**/*", { cwd: own }).map((file) => file.replaceAll("\\", "/"));
    for (const file of [
      "LICENSE",
      "README.md",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/THIRD-PARTY.txt",
      "dist/console/index.html",
    ]) {
      assert.ok(files.includes(file), file);
    }
    assert.deepEqual(
      files.filter((file) => /(?:^|\/)(?:src|test|\.env|.*\.(?:db|pem|tgz))(?:\/|$)/.test(file)),
      [],
    );
    const licences = readFileSync(join(own, "dist/THIRD-PARTY.txt"), "utf8");
    const inside = [...licences.matchAll(/^(\S+) \d+\.\d+\.\d+\S* \(([^)]+)\)$/gm)].map(([, name]) => name);
    assert.ok(inside.length >= 4, inside.join());
    const { exports: entries } = JSON.parse(readFileSync(join(own, "package.json"), "utf8")) as {
      exports: Record<string, string | { types: string; default: string }>;
    };
    for (const entry of Object.values(entries)) {
      for (const path of typeof entry === "string" ? [entry] : Object.values(entry)) {
        assert.ok(existsSync(join(own, path)), path);
      }
    }
    // What is inside is not looked for outside.
    for (const file of files.filter((name) => name.endsWith(".js"))) {
      const code = readFileSync(join(own, file), "utf8");
      for (const name of inside) assert.ok(!code.includes(`from "${name}"`), `${file} imports ${name}`);
    }
  });

  test("the library registers, signs in, verifies, refreshes and knows a common password", () => {
    const output = node(`
      import { createAuth, createHandler, openSqlite } from "latchkey";
      import { createKeySet, createVerifier, readJwks } from "latchkey/jwt";
      const auth = await createAuth({ secret: ${JSON.stringify(TEST_SECRET)}, storage: openSqlite("auth.db"), algorithm: "EdDSA" });
      await auth.register({ username: "ada", email: "ada@example.com", password: ${JSON.stringify(PASSWORD)} });
      const weak = await auth.register({ username: "bob", email: "bob@example.com", password: "password123" }).catch((e) => e);
      const tokens = await auth.login({ username: "ada", password: ${JSON.stringify(PASSWORD)} });
      const { accessToken } = await auth.refresh(tokens.refreshToken);
      const { userId } = await auth.authenticate(accessToken);
      const keys = createKeySet(readJwks(auth.keys.jwks(), ["EdDSA"]));
      const { sub } = createVerifier({ keys, issuer: "latchkey", audience: "latchkey" }).verify(accessToken);
      const health = await createHandler(auth)(new Request("http://localhost/v1/health"));
      await auth.close();
      console.log(JSON.stringify([userId, sub, weak.errors[0].message, health.status]));
    `);
    assert.deepEqual(JSON.parse(output), [1, "1", "is one of the most common passwords: choose another", 200]);
  });

  test("a class goes by the name that it is exported under, also where it is printed", () => {
    const output = node(`
      import { inspect } from "node:util";
      import { AuthError } from "latchkey";
      const entries = ["latchkey", "latchkey/jwt", "latchkey/testing", "latchkey/client", "latchkey/client/node"];
      const classes = (await Promise.all(entries.map((entry) => import(entry)))).flatMap((names) =>
        Object.entries(names).filter(([, value]) => typeof value === "function" && /^class\\b/.test(String(value))));
      console.log(JSON.stringify([classes.map(([name, { name: own }]) => [name, own]), inspect(new AuthError("busy"))]));
    `);
    const [classes, printed] = JSON.parse(output) as [[string, string][], string];
    assert.ok(classes.length >= 2, output);
    for (const [exported, own] of classes) assert.equal(own, exported);
    assert.match(printed, /^AuthError: Busy/);
  });

  test("importing latchkey/jwt reads three files: each more is paid for by every process that starts", () => {
    const read = new Set<string>();
    const visit = (file: string): void => {
      if (read.has(file)) return;
      read.add(file);
      for (const [, path] of readFileSync(file, "utf8").matchAll(
        /^(?:import|export)?[^"\n]*(?:from|import) "(\.[^"]+)"/gm,
      )) {
        visit(join(dirname(file), path as string));
      }
    };
    visit(join(project, "node_modules/latchkey/dist/jwt/index.js"));
    assert.equal(read.size, 3, [...read].join("\n"));
  });

  test("`npx latchkey serve` is a working server", async () => {
    const command = join(modules, ".bin/latchkey");
    const child = spawn(command, ["serve"], {
      cwd: project,
      env: { ...environment, PORT: "0", LATCHKEY_DATA_DIR: join(folder, "data"), JWT_SECRET_KEY: "", DATABASE_URL: "" },
    });
    const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let output = "";
        const onData = (chunk: Buffer) => {
          output += chunk.toString();
          const found = /listens on (http:\/\/\S+)/.exec(output)?.[1];
          if (found) resolve(found);
        };
        child.stdout.on("data", onData);
        child.stderr.on("data", onData);
        exited.then((code) => reject(new Error(`exited with ${code}: ${output}`)));
      });
      const body = { username: "ada", email: "ada@example.com", password: PASSWORD };
      assert.equal((await call(url, "POST", "/v1/users/", { body })).status, 201);
      const login = await call(url, "POST", "/v1/users/me/token", { body: { username: "ada", password: PASSWORD } });
      assert.equal((await call(url, "GET", "/v1/users/me", { token: login.body.access_token })).body.username, "ada");
    } finally {
      child.kill("SIGTERM");
    }
    assert.equal(await exited, 0);
  });

  test("its types stand by themselves, however a project resolves them", () => {
    writeFileSync(
      join(project, "use.ts"),
      `import { type Auth, createAuth, createHandler, openPostgres, openSqlite } from "latchkey";
       import { createVerifier, importKey, createKeySet } from "latchkey/jwt";
       export const auth: Promise<Auth> = createAuth({ secret: "x", storage: openSqlite("x") });
       export const handle = createHandler(await auth);
       export const storage = openPostgres("postgres://x");
       export const keys = createKeySet([importKey("x", { alg: "HS256" })]);
       export const verifier = createVerifier({ keys, issuer: "x", audience: "x" });\n`,
    );
    for (const [module, moduleResolution] of [
      ["nodenext", "nodenext"],
      ["esnext", "bundler"],
    ] as const) {
      const compilerOptions = {
        module,
        moduleResolution,
        target: "es2024",
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ["node"],
        typeRoots: [join(ROOT, "node_modules/@types")],
      };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
      const { status, stdout } = spawnSync("tsc", ["-p", project], { encoding: "utf8", cwd: ROOT });
      assert.equal(status, 0, stdout);
    }
  });

  test("Are the types wrong? has nothing to say, beyond that `require` is given modules", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    assert.ok(analysis.types !== false && Object.keys(analysis.entrypoints).length >= 15);
    // Every Node that we support can `require` a module, and TypeScript knows (module "nodenext"). Node 10 knew no "exports".
    const accepted = analysis.problems.filter(
      (problem) =>
        problem.kind === "CJSResolvesToESM" ||
        ("resolutionKind" in problem && problem.resolutionKind === "node10" && problem.kind === "NoResolution"),
    );
    assert.deepEqual(
      analysis.problems.filter((problem) => !accepted.includes(problem)),
      [],
    );
  });

  test("publint has nothing to say", () => {
    const { status, stdout, stderr } = spawnSync("publint", ["--strict", "--pack", "npm"], {
      encoding: "utf8",
      cwd: ROOT,
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /All good/);
  });
});

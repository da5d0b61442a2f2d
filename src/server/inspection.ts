/** What is right and wrong with a server's settings, secret, store, clock and keys, without starting it or changing anything. */
import { statSync } from "node:fs";
import type { Auth } from "../auth.ts";
import { rowOf } from "../jwt/algorithms.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { looseSettings } from "./contracts.ts";
import { type ChosenStore, chooseStore, createEngine } from "./engine.ts";

export interface Finding {
  /** What was looked at: "settings", "secret", "store", "migrations", "clock", "keys", "proxy", "cookies", "CORS", "metrics", "limits". */
  readonly name: string;
  readonly state: "ok" | "warning" | "failure";
  readonly message: string;
  /** What to do about it. */
  readonly mend?: string;
}

/** Seconds by which clocks may differ and nobody notices. */
const CLOCK_TOLERANCE = 2;

export const ok = (name: string, message: string): Finding => ({ name, state: "ok", message });
export const warning = (name: string, message: string, mend: string): Finding => ({
  name,
  state: "warning",
  message,
  mend,
});
export const failure = (name: string, message: string, mend: string): Finding => ({
  name,
  state: "failure",
  message,
  mend,
});

/** Looks at everything that the environment leads to. */
export async function inspect(env: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => failure("settings", problem, "latchkey env prints every setting"));
  }
  const settings = ok("settings", config.isProduction ? "all can be read" : "all can be read (development)");
  const loose = looseSettings(config).map(({ message, mend }) => warning("settings", message, mend));
  return [
    settings,
    ...loose,
    ...inspectSecret(config, env),
    ...inspectNetwork(config),
    ...inspectOrigins(config),
    inspectMetrics(config),
    ...inspectLimits(config),
    ...(await inspectStore(config)),
  ];
}

function inspectSecret(config: Config, env: Readonly<Record<string, string | undefined>>): Finding[] {
  const findings: Finding[] = [];
  const isShared = rowOf(config.algorithm).kind === "secret";
  if (config.secret === undefined) {
    findings.push(ok("secret", "made for development, in the data folder"));
  } else if (isShared && config.rootSecret === undefined && config.isProduction) {
    findings.push(
      warning(
        "secret",
        `whoever verifies ${config.algorithm} holds JWT_SECRET_KEY, which refresh tokens hang on, too`,
        "set LATCHKEY_ROOT_SECRET to a secret of its own (latchkey secrets new); this signs everyone out once. Or sign with a key pair: JWT_ALGORITHM=EdDSA",
      ),
    );
  } else findings.push(ok("secret", "long enough, and none of a document's"));
  for (const name of ["JWT_SECRET_KEY_FILE", "LATCHKEY_ROOT_SECRET_FILE"]) {
    const path = env[name];
    if (path && process.platform !== "win32" && (statSync(path).mode & 0o007) !== 0) {
      findings.push(warning("secret", `everybody on this machine may read ${path}`, `chmod o= ${path}`));
    }
  }
  return findings;
}

const LOOPBACK = /^(?:127\.|::1$|localhost$)/;

function inspectNetwork({ host, proxyCount, isProduction }: Config): Finding[] {
  const isOpen = !LOOPBACK.test(host);
  if (proxyCount > 0 && isOpen) {
    return [
      warning(
        "proxy",
        `X-Forwarded-For is believed, and ${host} may be reached without passing the proxy: its sender can say any address`,
        "set HOST=127.0.0.1 where the proxy is on this machine, or let a firewall admit the proxies alone",
      ),
    ];
  }
  if (proxyCount === 0 && isOpen && isProduction) {
    return [
      warning(
        "proxy",
        `the server listens on ${host} without TLS, and takes the peer of a connection for the client`,
        "put a proxy with TLS in front and set NUMBER_OF_PROXIES=1: docs/operations.md has the lines for nginx and Caddy",
      ),
    ];
  }
  if (proxyCount === 0 && isProduction) {
    return [
      warning(
        "proxy",
        "behind a proxy, every client would have the proxy's address: limits by address would hit all at once",
        "set NUMBER_OF_PROXIES to the number of proxies that append to X-Forwarded-For",
      ),
    ];
  }
  return [ok("proxy", proxyCount === 0 ? "none; X-Forwarded-For is ignored" : `${proxyCount} in front, loopback only`)];
}

const LOCAL_ORIGIN = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

/** Whoever may call from a browser acts as whoever sits before it. */
function inspectOrigins({ cookies, allowedOrigins, isProduction }: Config): Finding[] {
  const findings: Finding[] = [];
  const local = allowedOrigins.filter((origin) => LOCAL_ORIGIN.test(origin));
  const plain = allowedOrigins.filter((origin) => origin.startsWith("http:") && !local.includes(origin));
  if (plain.length > 0) {
    findings.push(
      failure(
        "CORS",
        `${plain.join(", ")} has no TLS: whoever is on the way to its visitors can call as them`,
        "serve those pages over https and say so in LATCHKEY_ALLOWED_ORIGINS",
      ),
    );
  }
  if (local.length > 0 && isProduction) {
    const mend = "leave it out of LATCHKEY_ALLOWED_ORIGINS in production";
    findings.push(
      warning("CORS", `${local.join(", ")} may call: any program on a visitor's machine can be that`, mend),
    );
  }
  if (findings.length === 0) {
    const who = allowedOrigins.length === 0 ? "no other origin" : allowedOrigins.join(", ");
    findings.push(ok("CORS", `${who} may call from a browser`));
  }
  const kept = "HttpOnly and Secure; browsers keep them over TLS (and from localhost) only";
  findings.push(ok("cookies", cookies ? `on for who asks for them: ${kept}` : "off"));
  return findings;
}

function inspectMetrics({ metricsPort, metricsHost, metricsTokens }: Config): Finding {
  if (metricsPort !== undefined && !LOOPBACK.test(metricsHost)) {
    return warning(
      "metrics",
      `whoever reaches ${metricsHost} at LATCHKEY_METRICS_PORT reads what this server counts`,
      "let a firewall admit the scraper alone, or set LATCHKEY_METRICS_HOST=127.0.0.1, or LATCHKEY_METRICS_TOKENS instead of the port",
    );
  }
  const ways = [
    ...(metricsPort === undefined ? [] : [`at ${metricsHost}, port ${metricsPort}`]),
    ...(metricsTokens.length === 0 ? [] : ["on the public port, with a credential"]),
  ];
  return ok("metrics", ways.length === 0 ? "not served" : ways.join(" and "));
}

/** Files of our own beside the sockets: the store, the log, node's. */
const OWN_FILES = 100;

/** A connection is an open file, of which the system allows so many. */
function inspectLimits({ maxConnections, isProduction }: Config): Finding[] {
  // Otherwise it looks up the name of every peer.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly hard: number | "unlimited" } };
  };
  // Node raises the soft limit to the hard one.
  const most = userLimits?.open_files?.hard;
  if (!isProduction || typeof most !== "number" || most >= maxConnections + OWN_FILES) return [];
  return [
    warning(
      "limits",
      `${most} files may be open, and LATCHKEY_MAX_CONNECTIONS is ${maxConnections}`,
      "raise the one (LimitNOFILE= of systemd, ulimit -n) or lower the other",
    ),
  ];
}

async function inspectStore(config: Config): Promise<Finding[]> {
  let store: ChosenStore;
  try {
    store = await chooseStore(config, { mustExist: true });
  } catch (error) {
    return [failure("store", messageOf(error), "latchkey init makes one, and so does the first start of the server")];
  }
  const { storage, database } = store;
  try {
    const pending = (await storage.pendingMigrations?.()) ?? [];
    if (pending.length > 0) {
      const names = pending.map((name) => JSON.stringify(name)).join(", ");
      return [
        ok("store", `${database} can be reached`),
        warning(
          "migrations",
          `${names} to come`,
          "back up, then: latchkey migrate (or start the server, which does it)",
        ),
      ];
    }
    const auth = await createEngine(config, store);
    try {
      return [
        ok("store", `${database} can be reached`),
        ok("migrations", "all done"),
        inspectClock(storage.kind, storage.clockOffset),
        ...(await inspectKeys(auth, config)),
      ];
    } finally {
      await auth.close();
    }
  } catch (error) {
    const name = error instanceof TypeError ? "keys" : "store";
    return [failure(name, messageOf(error), name === "keys" ? "docs/keys.md" : "docs/storage.md")];
  } finally {
    await storage.close();
  }
}

function inspectClock(kind: string, offset: number): Finding {
  if (kind === "sqlite") return ok("clock", "the store goes by this machine's");
  if (Math.abs(offset) <= CLOCK_TOLERANCE) return ok("clock", "this machine's and the database server's agree");
  const direction = offset > 0 ? "behind" : "ahead of";
  return warning(
    "clock",
    `this machine's is ${Math.abs(offset)} s ${direction} the database server's; instances go by the latter`,
    "let both follow NTP (timedatectl set-ntp true): services that verify tokens have clocks of their own",
  );
}

async function inspectKeys(auth: Auth, { algorithm }: Config): Promise<Finding[]> {
  const keys = await auth.keys.list();
  const active = keys.find(({ state }) => state === "active");
  if (!active) return [failure("keys", "no key signs", "start the server: it makes one")];
  if (active.alg !== algorithm) {
    const next = keys.find(({ state, alg }) => state === "next" && alg === algorithm);
    return [
      warning(
        "keys",
        `${active.alg} signs, and JWT_ALGORITHM is ${algorithm}`,
        next
          ? "nothing: the change is prepared, and comes by itself"
          : "start a server with it: it prepares the change",
      ),
    ];
  }
  return [
    ok("keys", `${active.kid} (${active.alg}) signs; ${keys.filter(({ state }) => state === "next").length} next`),
  ];
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

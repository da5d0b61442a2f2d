/** What is right and wrong with a running server, asked as the public reaches it. */
import { type Finding, failure, ok, warning } from "./inspection.ts";

/** Milliseconds. */
const PATIENCE = 10_000;
/** Seconds by which a verifier's clock may differ before tokens are refused. */
const CLOCK_TOLERANCE = 5;
/** An origin that nobody allows. */
const STRANGER = "https://latchkey-doctor.invalid";

/** @param url where the server's paths begin, such as "https://auth.example.com". */
export async function inspectUrl(url: string): Promise<Finding[]> {
  let base: URL;
  try {
    base = new URL(url.endsWith("/") ? url : `${url}/`);
    if (!/^https?:$/.test(base.protocol)) throw new TypeError();
  } catch {
    return [failure("url", `${JSON.stringify(url)} is no address of a server`, "write it as https://auth.example.com")];
  }
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, base), { ...init, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
  let health: Response;
  try {
    health = await ask("v1/health");
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
    const why = cause?.code ?? cause?.message ?? message;
    return [failure("url", `${base.href} does not answer (${why})`, "start the server, and look at the proxy's log")];
  }
  return [
    inspectHealth(health),
    inspectTls(base),
    inspectClock(health),
    await inspectCors(ask),
    await inspectJwks(ask),
    await inspectMetrics(ask),
  ];
}

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

function inspectHealth({ status }: Response): Finding {
  if (status === 200) return ok("url", "the server answers");
  const mend =
    status === 503 ? "its store does not answer: see its log" : "does the proxy pass /v1/health on unchanged?";
  return failure("url", `/v1/health is answered ${status}`, mend);
}

function inspectTls({ protocol, hostname }: URL): Finding {
  if (protocol === "https:") return ok("cookies", "TLS: browsers keep Secure and __Host- cookies");
  if (hostname === "localhost" || hostname.startsWith("127.")) return ok("cookies", "no TLS, on this machine only");
  return failure(
    "cookies",
    "no TLS: tokens can be read on the way, and browsers drop Secure and __Host- cookies",
    "put a proxy with TLS in front: docs/operations.md",
  );
}

function inspectClock({ headers }: Response): Finding {
  const offset = Math.round((Date.parse(headers.get("date") ?? "") - Date.now()) / 1000);
  if (Number.isNaN(offset)) return warning("server clock", "the answer has no Date", "let the proxy pass it on");
  if (Math.abs(offset) <= CLOCK_TOLERANCE) return ok("server clock", "agrees with this machine's");
  return warning("server clock", `${offset} s from this machine's`, "let both follow NTP");
}

async function inspectCors(ask: Ask): Promise<Finding> {
  const headers = { origin: STRANGER, "access-control-request-method": "POST" };
  const answer = await ask("v1/users/me/token", { method: "OPTIONS", headers });
  const allowed = answer.headers.get("access-control-allow-origin");
  if (allowed !== "*" && allowed !== STRANGER) return ok("CORS", "a strange origin is not allowed");
  return failure(
    "CORS",
    "any website may call the API from its visitors' browsers",
    "allow the exact origins of your front ends only, here and in the proxy, which must not add headers of its own",
  );
}

async function inspectJwks(ask: Ask): Promise<Finding> {
  const answer = await ask(".well-known/jwks.json");
  const jwks = (await answer.json().catch(() => undefined)) as
    | { keys?: readonly { d?: unknown; k?: unknown }[] }
    | undefined;
  if (answer.status !== 200 || !Array.isArray(jwks?.keys)) {
    return failure("JWKS", `/.well-known/jwks.json is answered ${answer.status}`, "let the proxy pass it on unchanged");
  }
  if (jwks.keys.some(({ d, k }) => d !== undefined || k !== undefined)) {
    return failure("JWKS", "it shows a private key", "latchkey keys compromise <kid>, and find out who serves this");
  }
  return ok("JWKS", jwks.keys.length === 0 ? "no public keys: a secret signs" : `${jwks.keys.length} public keys`);
}

async function inspectMetrics(ask: Ask): Promise<Finding> {
  const { status } = await ask("metrics");
  if (status !== 200) return ok("metrics", "nobody may read /metrics without a credential");
  return failure(
    "metrics",
    "anybody may read /metrics",
    "let the proxy pass on the public port alone, not LATCHKEY_METRICS_PORT",
  );
}

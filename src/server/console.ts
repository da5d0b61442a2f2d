/**
 * The console's files: a page and what it is made of, read once and kept, since all of it is smaller than one photograph.
 * The page may load from here and talk to here, and to nowhere else; nothing in it may be a script or a style but the files named.
 */
import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";
import { AuthError } from "../errors.ts";
import type { Endpoints, Handler } from "../handler.ts";
import { toProblem } from "../http/problem.ts";

/** Beside us in what is published, and in the source tree from here too. */
const FOLDER = new URL("../../dist/console/", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** OWASP Secure Headers; `connect-src 'self'` and the rest make a script that got in all the same a lonely one. */
const CONSOLE_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
} as const;

/** A file's name has the hash of what is in it: another content is another name. */
const FOR_EVER = "public, max-age=31536000, immutable";
/** Asked for each time, so that an upgrade is seen at once. */
const ASK_FIRST = "no-cache";

/** What a page's address can look like. */
const PAGE = /^\/console\/(?!assets)(?:[a-z-]+(?:\/\d{1,16})?\/?)?$/;

interface ConsoleFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** True when the console has been built: always in what is published. */
export function hasConsole(): boolean {
  try {
    return readdirSync(FOLDER).includes("index.html");
  } catch {
    return false;
  }
}

/** The endpoints, and beside them the console at "/" and below "/console/". An endpoint's path is the endpoint's. */
export function withConsole(endpoints: Endpoints): Handler {
  let files: ReadonlyMap<string, ConsoleFile> | undefined;

  return async (request, connection) => {
    const path = pathOf(request.url);
    if (endpoints.knows(path) || (path !== "/" && !path.startsWith("/console/"))) return endpoints(request, connection);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return toProblem(new AuthError("method_not_allowed"), { headers: { allow: "GET, HEAD" } });
    }
    files ??= readFiles();
    // Every page is the one page, which looks at its own address.
    const file = files.get(path) ?? (PAGE.test(path) ? files.get("/") : undefined);
    return file ? answer(request, file) : toProblem(new AuthError("not_found"));
  };
}

/** As it was written: nothing here is to be normalised into something else. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return url.slice(start).replace(/[?#].*$/s, "");
}

function readFiles(): ReadonlyMap<string, ConsoleFile> {
  const assets = readdirSync(new URL("assets/", FOLDER)).map(
    (name) => [`/console/assets/${name}`, readConsoleFile(`assets/${name}`, FOR_EVER)] as const,
  );
  return new Map([["/", readConsoleFile("index.html", ASK_FIRST)], ...assets]);
}

function readConsoleFile(name: string, cacheControl: string): ConsoleFile {
  const body = new Uint8Array(readFileSync(new URL(name, FOLDER)));
  return {
    body,
    gzipped: new Uint8Array(gzipSync(body, { level: 9 })),
    headers: {
      ...CONSOLE_HEADERS,
      "content-type": TYPES[extname(name)] ?? "application/octet-stream",
      "cache-control": cacheControl,
      etag: `"${hash("sha256", body, "base64url").slice(0, 22)}"`,
      vary: "Accept-Encoding",
    },
  };
}

function answer({ method, headers: asked }: Request, { body, gzipped, headers }: ConsoleFile): Response {
  const known = asked.get("if-none-match")?.split(",") ?? [];
  if (known.some((tag) => tag.trim().replace(/^W\//, "") === headers.etag)) {
    return new Response(null, { status: 304, headers });
  }
  const takesGzip = /(?:^|,)\s*gzip\s*(?:$|,|;(?!\s*q=0(?:\.0+)?\s*(?:$|,)))/i.test(asked.get("accept-encoding") ?? "");
  const bytes = takesGzip ? gzipped : body;
  return new Response(method === "HEAD" ? null : bytes, {
    status: 200,
    headers: {
      ...headers,
      ...(takesGzip && { "content-encoding": "gzip", etag: `W/${headers.etag}` }),
      "content-length": String(bytes.length),
    },
  });
}

/** The endpoints behind the (request, response) pair that node:http, Express and Koa have. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Auth } from "../auth.ts";
import { createHandler, type HandlerOptions } from "../handler.ts";
import { isRewrittenByUrl, pathOf } from "./path.ts";

export interface NodeRoutes {
  /** True when a path is that of an endpoint, with or without a trailing slash. */
  knows(path: string): boolean;
  /** Answers. @param base the path under which a framework has mounted us, and which it has taken off the URL. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse, base?: string): Promise<void>;
}

/** A request whose body a framework has read already. */
type ReadRequest = IncomingMessage & { body?: unknown; rawBody?: Buffer };
/** One whose path a framework has taken the beginning off, and kept what it was. */
type MountedRequest = Pick<IncomingMessage, "url"> & { originalUrl?: string };

const bases = new WeakMap<IncomingMessage, string>();

export function createNodeRoutes(auth: Auth, options?: HandlerOptions): NodeRoutes {
  const handle = createHandler(auth, options);
  const listener = getRequestListener(
    (request, { incoming }) => {
      const message = incoming as IncomingMessage;
      const { remoteAddress: ip } = message.socket;
      const asked = isRewrittenByUrl(pathOf(message.url ?? "/")) ? nowhere(request) : request;
      return handle(asked, { ip, host: message.headers.host, base: bases.get(message) });
    },
    { overrideGlobalObjects: false },
  );
  return {
    knows: handle.knows,
    async answer(incoming, outgoing, base) {
      const mountedAt = base ?? takenOff(incoming);
      if (mountedAt) bases.set(incoming, mountedAt);
      keepReadBody(incoming);
      await listener(incoming, outgoing);
    },
  };
}

/** The same question of a path that nobody has, since no path has an escape. */
function nowhere({ url, method, headers }: Request): Request {
  return new Request(new URL("/%25", url), { method, headers });
}

/** The path that connect, or who does as it does, has mounted us at and taken off. */
export function takenOff({ originalUrl, url = "/" }: MountedRequest): string | undefined {
  if (originalUrl === undefined) return undefined;
  const [whole, rest] = [pathOf(originalUrl), pathOf(url)];
  return whole.endsWith(rest) ? whole.slice(0, whole.length - rest.length) : undefined;
}

/** A body parser in front of us has left what it made of the body; the bytes are gone. */
function keepReadBody(incoming: ReadRequest): void {
  const { body } = incoming;
  if (incoming.rawBody !== undefined || body === undefined || !incoming.readableEnded) return;
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(incoming.headers["content-type"] ?? "");
  if (Buffer.isBuffer(body)) incoming.rawBody = body;
  else if (isForm && typeof body === "object" && body !== null) {
    incoming.rawBody = Buffer.from(new URLSearchParams(body as Record<string, string>).toString());
  } else incoming.rawBody = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

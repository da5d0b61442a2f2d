/**
 * The Authorization header of a request of @hono/node-server's, as node:http has it.
 * Such a request stands for one of node's and makes its headers when they are first asked for. Making and asking them costs as much as the rest of a
 * guard: two regular expressions over the header, and a copy of all of them. The symbols under which a request keeps these two are not documented; where
 * they are not found, the request's own headers are asked, as on any other runtime.
 */
import type { IncomingMessage } from "node:http";
import { authorizationOf } from "../http/node-authorization.ts";

type KeptRequest = Request & Readonly<Record<symbol, unknown>>;

const INCOMING = "incomingKey";
const HEADERS = "headersKey";
/** Requests that are looked at for the symbols: where a few have none, none will. */
const MOST_LOOKS = 16;

let incomingKey: symbol | undefined;
let headersKey: symbol | undefined;
let lookCount = 0;

/** All Authorization headers, joined with commas. */
export function readAuthorizationHeader(request: Request): string | null | undefined {
  if (incomingKey === undefined || headersKey === undefined) {
    if (lookCount < MOST_LOOKS) findKeys(request as KeptRequest);
    return request.headers.get("authorization");
  }
  const kept = request as KeptRequest;
  const incoming = kept[incomingKey] as IncomingMessage | undefined;
  // Headers that were made may have been changed since; a request of another kind, such as one that was made of this one, has nothing of the sort.
  if (incoming?.rawHeaders === undefined || kept[headersKey] !== undefined || !Object.hasOwn(kept, incomingKey)) {
    return request.headers.get("authorization");
  }
  return authorizationOf(incoming);
}

function findKeys(request: KeptRequest): void {
  lookCount++;
  const keyOf = (name: string) => Object.getOwnPropertySymbols(request).find(({ description }) => description === name);
  if (keyOf(INCOMING) === undefined || keyOf(HEADERS) !== undefined) return;
  const { headers } = request;
  const [incoming, made] = [keyOf(INCOMING), keyOf(HEADERS)];
  // What is kept there must be what it is called.
  if (incoming === undefined || made === undefined || request[made] !== headers) return;
  incomingKey = incoming;
  headersKey = made;
}

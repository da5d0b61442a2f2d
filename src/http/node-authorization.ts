/** The Authorization header of a request of node:http, without making anything of it that costs. */
import type { IncomingMessage } from "node:http";

const AUTHORIZATION = "authorization";

/** All Authorization headers of a request. The name is written here: a name out of a variable costs several times as much. */
export function authorizationOf({ headers: { authorization }, rawHeaders = [] }: NodeHeaders): string | undefined {
  if (authorization === undefined) return undefined;
  // Node keeps the first Authorization header of two and says nothing of the other.
  let first: string | undefined;
  let all = "";
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!isAuthorization(rawHeaders[i] as string)) continue;
    const value = rawHeaders[i + 1] as string;
    all = first === undefined ? value : `${all}, ${value}`;
    first ??= value;
  }
  // Where the application has set it anew (or a test made it by hand), that is what counts.
  return first === authorization ? all : String(authorization);
}

/** What is read of a request of node:http; one that was made by hand may have nothing raw. */
export type NodeHeaders = Pick<IncomingMessage, "headers"> & { readonly rawHeaders?: readonly string[] };

function isAuthorization(name: string): boolean {
  if (name.length !== AUTHORIZATION.length) return false;
  // As nearly everybody writes it, and as HTTP/2 does.
  return name === "Authorization" || name === AUTHORIZATION || name.toLowerCase() === AUTHORIZATION;
}

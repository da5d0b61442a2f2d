/** Credentials of services, such as those that read the revocation feed: random texts from the configuration, kept and compared as hashes. */
import { hash, timingSafeEqual } from "node:crypto";
import { AuthError } from "../errors.ts";
import type { RequestHead } from "./cookies.ts";
import { readAccessToken } from "./credentials.ts";

const SMALLEST = 32;
const NO_COOKIES = { takesCookies: false, allowedOrigins: [] } as const;

/**
 * @param tokens each at least 32 characters; none means that nobody may.
 * @returns what refuses a request without one of them. @throws TypeError for a token that is too short.
 */
export function createServiceGuard(tokens: readonly string[]): (head: RequestHead, url: string) => void {
  for (const token of tokens) {
    if (token.length < SMALLEST) throw new TypeError(`a credential of a service needs at least ${SMALLEST} characters`);
  }
  const digests = tokens.map((token) => hash("sha256", token, "buffer"));
  return (head, url) => {
    const given = readAccessToken(head, url, NO_COOKIES);
    if (given === undefined) throw new AuthError("credentials_missing");
    const digest = hash("sha256", given, "buffer");
    // All are compared, so that the time tells nothing of which.
    const matches = digests.filter((known) => timingSafeEqual(known, digest));
    if (matches.length === 0) throw new AuthError("token_invalid", { reason: "no service has that credential" });
  };
}

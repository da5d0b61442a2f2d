/**
 * The claims that everybody signs and checks: those of an access token of ours, 207 bytes of JSON with `iss`, `aud`,
 * `iat` and `exp`. Every token of the pool is another user's.
 */
export const ISSUER = "https://auth.example.com";
export const AUDIENCE = "https://api.example.com";
export const TTL = 60 * 60; // an hour: no token dies while it is measured

/** What the caller states; issuer, audience and times are the signer's. A type, so that it fits an index signature. */
export type OwnClaims = {
  readonly sub: string;
  readonly sid: string;
  readonly epoch: number;
  readonly typ: string;
  readonly jti: string;
};

export function ownClaims(count: number): OwnClaims[] {
  return Array.from({ length: count }, (_, index) => ({
    sub: String(100_000_000 + index),
    sid: String(4_000_000_000 + index),
    epoch: 3,
    typ: "at+jwt",
    jti: crypto.randomUUID(),
  }));
}

/** The whole payload, for a signer that takes it as it is. */
export function wholeClaims(own: OwnClaims): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { iss: ISSUER, aud: AUDIENCE, ...own, iat: now, exp: now + TTL };
}

/** The bounds on what is read from a token, all of them checked before the part they bound is touched (RFC 8725bis, CVE-2025-30204). */

/** Characters of a whole token. Node itself stops at 16 KiB for all headers of a request together. */
export const MAX_TOKEN_LENGTH = 8 * 1024;

/** Characters of a token's encoded header: `alg`, `typ` and `kid` take 60; certificates in headers are never used. */
export const MAX_HEADER_LENGTH = 1024;

/**
 * Characters of a token's encoded claims, where nothing else is said: ten times what access tokens have. The signature is over all of them, so this
 * bounds what checking a forged one costs.
 */
export const DEFAULT_CLAIMS_LENGTH = 4 * 1024;

/** Characters of a key id. */
export const MAX_KID_LENGTH = 256;

/** How deep the JSON of a header or of claims may nest. */
export const MAX_JSON_DEPTH = 16;

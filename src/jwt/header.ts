/** The JOSE header of a token (RFC 7515 §4): it is read for `alg`, `kid` and `typ`, and for reasons to refuse it. */
import { decodeUtf8, jsonProblem } from "../json.ts";
import { decodeBase64url } from "./base64url.ts";
import { MAX_HEADER_LENGTH, MAX_JSON_DEPTH, MAX_KID_LENGTH } from "./limits.ts";
import { quote } from "./refusal.ts";

/** A header that is well formed. Nothing in it is to be trusted before the signature was checked. */
export interface Header {
  readonly problem?: undefined;
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
}

/** Why a header is refused: a phrase to follow "the header …". */
export interface HeaderProblem {
  readonly problem: string;
}

/** Writes the header of a token that we sign, encoded and without the dot. One header has one text, so a verifier can know it by sight. */
export function encodeHeader(alg: string, typ: string, kid: string | undefined): string {
  return Buffer.from(JSON.stringify({ alg, typ, kid })).toString("base64url");
}

/**
 * Reads the header of a token, of which only the shape has been checked.
 * @param encoded the token's text before its first dot.
 */
export function readHeader(encoded: string): Header | HeaderProblem {
  if (encoded.length > MAX_HEADER_LENGTH) return { problem: `is longer than ${MAX_HEADER_LENGTH} characters` };
  const bytes = decodeBase64url(encoded);
  if (!bytes) return { problem: "is not canonical base64url" };
  const text = decodeUtf8(bytes);
  if (text === undefined) return { problem: "is not valid UTF-8" };
  // The scanner goes first: an exception out of JSON.parse would cost an attacker's guess more than it costs a good token.
  const problem = jsonProblem(text, MAX_JSON_DEPTH);
  if (problem) return { problem };
  const header: unknown = JSON.parse(text);
  if (typeof header !== "object" || header === null || Array.isArray(header))
    return { problem: "is not a JSON object" };
  return judgeMembers(header as Record<string, unknown>);
}

function judgeMembers(header: Record<string, unknown>): Header | HeaderProblem {
  const own = (name: string): unknown => (Object.hasOwn(header, name) ? header[name] : undefined);
  // We understand no extension, so whatever "crit" lists is one that must be refused, as is a malformed list (RFC 7515 §4.1.11).
  if (Object.hasOwn(header, "crit")) return { problem: "has crit, and no critical extension is understood" };
  for (const name of ["b64", "zip", "enc"]) {
    if (Object.hasOwn(header, name))
      return { problem: `has ${name}: unencoded, compressed or encrypted tokens are not taken` };
  }
  const alg = own("alg");
  const kid = own("kid");
  const typ = own("typ");
  if (typeof alg !== "string") return { problem: "has no alg that is a text" };
  if (kid !== undefined && (typeof kid !== "string" || kid.length === 0 || kid.length > MAX_KID_LENGTH)) {
    return { problem: `has a kid that is not a text of 1 to ${MAX_KID_LENGTH} characters` };
  }
  if (typ !== undefined && typeof typ !== "string") return { problem: `has a typ that is ${quote(typ)}` };
  return { alg, kid, typ };
}

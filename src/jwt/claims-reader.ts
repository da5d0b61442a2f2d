/** Reading the claims of a token whose signature is good: strictly, and at the price of a comparison where the text is one of those of every day. */
import { decodeUtf8, isPlainJson, jsonProblem } from "../json.ts";
import { decodeBase64url, decodeBase64urlInto } from "./base64url.ts";
import type { ClaimPolicy } from "./claim-checks.ts";
import { NO_AUDIENCE, NO_ISSUER, withoutPrototype } from "./claims.ts";
import { type ClaimsTemplates, createClaimsTemplates, type KnownMember } from "./claims-template.ts";
import { MAX_JSON_DEPTH, MAX_TOKEN_LENGTH } from "./limits.ts";

/** A token's claims, or what is wrong with their text. */
export type ClaimsReading = Record<string, unknown> | string;

/**
 * Reads the claims of a token.
 * @param token of at most 8 KiB, free of "+" and "/", whose signature is good.
 * @param start of its second part.
 * @param end of it.
 */
export type ClaimsReader = (token: string, start: number, end: number) => ClaimsReading;

const REPLACEMENT = "\uFFFD";
const scratch = Buffer.alloc(MAX_TOKEN_LENGTH);
const NOTHING_KNOWN = { known: [], knownLength: 0 } as const;

/** Makes the reader of one verifier. What it learns, it learns from tokens that were signed, so strangers teach it nothing. */
export function createClaimsReader(policy: Pick<ClaimPolicy, "issuer" | "audience">): ClaimsReader {
  const templates = createClaimsTemplates();
  const opening = createOpening(policy);
  return (token, start, end) => {
    const opened = opening && readOpened(token, start, end, opening, templates);
    if (opened !== undefined) return opened;
    const encoded = token.slice(start, end);
    const length = decodeBase64urlInto(encoded, scratch);
    if (length === -1) return "the claims are not canonical base64url";
    return templates.read({ bytes: scratch, length, ...NOTHING_KNOWN }) ?? readInFull(encoded, length, templates);
  };
}

/**
 * How our own signer begins the claims: `{"iss":"…","aud":"…",`, the same in each token. Its characters are compared instead of being decoded and read.
 */
interface Opening {
  /** The characters that stand for whole groups of three of its bytes. */
  readonly encoded: string;
  readonly bytes: Uint8Array;
  /** How many of its bytes `encoded` stands for; the others, up to two, share a group with what follows. */
  readonly byteCount: number;
  readonly known: readonly KnownMember[];
  /** Begins with the opening, always. */
  readonly target: Buffer;
  /** `target` behind the bytes that `encoded` stands for. */
  readonly rest: Buffer;
}

function createOpening({ issuer, audience }: Pick<ClaimPolicy, "issuer" | "audience">): Opening | undefined {
  const aud = audience === NO_AUDIENCE ? undefined : audience[0];
  if (issuer === NO_ISSUER || aud === undefined) return undefined;
  const bytes = Buffer.from(`{"iss":${JSON.stringify(issuer)},"aud":${JSON.stringify(aud)},`);
  const byteCount = bytes.length - (bytes.length % 3);
  const target = Buffer.alloc(bytes.length + MAX_TOKEN_LENGTH);
  target.set(bytes);
  return {
    encoded: bytes.toString("base64url", 0, byteCount),
    bytes,
    byteCount,
    known: [
      { name: "iss", value: issuer },
      { name: "aud", value: aud },
    ],
    target,
    rest: target.subarray(byteCount),
  };
}

/** The claims of a token that begins as ours do, or `undefined` where it does not or has another shape than those before it. */
function readOpened(
  token: string,
  start: number,
  end: number,
  { encoded, bytes, byteCount, known, target, rest }: Opening,
  templates: ClaimsTemplates,
): Record<string, unknown> | undefined {
  const restStart = start + encoded.length;
  if (token.substring(start, restStart) !== encoded) return undefined;
  const restLength = decodeBase64urlInto(token.slice(restStart, end), rest);
  if (restLength === -1) return undefined;
  for (let i = byteCount; i < bytes.length; i++) {
    if (target[i] !== bytes[i]) return undefined;
  }
  return templates.read({ bytes: target, length: byteCount + restLength, known, knownLength: bytes.length - 1 });
}

function readInFull(encoded: string, length: number, templates: ClaimsTemplates): ClaimsReading {
  const text = scratch.toString("utf8", 0, length);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "the claims are not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "the claims are not a JSON object";
  if (!text.includes(REPLACEMENT) && isPlainJson(text, value, MAX_JSON_DEPTH)) {
    templates.learn(Object.keys(value));
    return withoutPrototype(value);
  }
  return strictJsonProblem(encoded) ?? withoutPrototype(value);
}

/** The slow look at claims that another issuer wrote with spaces, escapes or numbers in other forms than ours. */
function strictJsonProblem(encoded: string): string | undefined {
  const text = decodeUtf8(decodeBase64url(encoded) as Buffer);
  if (text === undefined) return "the claims are not valid UTF-8";
  const problem = jsonProblem(text, MAX_JSON_DEPTH);
  return problem === undefined ? undefined : `the text of the claims ${problem}`;
}

/** What the claims and header parameters of a token mean, in a few words. (RFC 7515 §4.1, RFC 7519 §4.1, RFC 9068; docs/api.md) */

export const MEANINGS: Readonly<Record<string, string>> = {
  alg: "How it is signed.",
  kid: "Which key has signed it.",
  typ: "What kind of token it is: an access token.",
  iss: "Who has issued it.",
  aud: "For whom it is meant.",
  sub: "The user's id.",
  sid: "The session it belongs to.",
  epoch: "Grows when all tokens of the user are taken back.",
  jti: "The token's own id.",
  iat: "When it was issued.",
  nbf: "From when on it is good.",
  exp: "When it expires.",
  roles: "What the user may do, as the application put it.",
};

/** Claims whose numbers are instants, in seconds since 1970. */
const INSTANTS = new Set(["iat", "exp", "nbf", "auth_time", "updated_at"]);

/** The instant that a claim holds as RFC 3339, if it is one. */
export function toInstantOf(name: string, value: unknown): string | undefined {
  if (!INSTANTS.has(name) || typeof value !== "number") return undefined;
  const date = new Date(value * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Texts without their quotation marks, anything else as JSON. */
export const toText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

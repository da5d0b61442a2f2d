/**
 * What a new password may be: long enough, not among the most common, any characters, nothing else.
 * No composition rules and no hints (NIST SP 800-63B §5.1.1.2, OWASP ASVS 6.2).
 */
import { textProblem } from "./names.ts";

/** Characters (code points). */
export const PASSWORD_MIN_LENGTH = 8;
/** Bytes of UTF-8. Hashing an unbounded text is work that a stranger chooses. */
export const PASSWORD_MAX_BYTES = 1024;

export interface PasswordContext {
  readonly username?: string;
  readonly email?: string;
}

/** Says what is wrong with any password, old or new, before it may be hashed: `undefined` when nothing is. */
export function passwordShapeProblem(password: string): string | undefined {
  // Lone surrogates all become the same bytes: two different passwords would be one.
  const problem = textProblem(password);
  if (problem) return problem;
  if (Buffer.byteLength(password) > PASSWORD_MAX_BYTES) return `must have at most ${PASSWORD_MAX_BYTES} bytes`;
  return undefined;
}

/** Says what is wrong with a new password, worded to follow its field's name; `undefined` when nothing is. */
export async function passwordProblem(
  password: string,
  { username, email }: PasswordContext = {},
): Promise<string | undefined> {
  const shape = passwordShapeProblem(password);
  if (shape) return shape;
  if ([...password].length < PASSWORD_MIN_LENGTH) return `must have at least ${PASSWORD_MIN_LENGTH} characters`;
  const folded = password.toLowerCase();
  // The names may be no texts: their own problems say so, beside this one's.
  if ([username, email].some((name) => typeof name === "string" && name.toLowerCase() === folded))
    return "must not be your username or email";
  if ((await commonPasswords()).has(folded)) return "is one of the most common passwords: choose another";
  return undefined;
}

let common: Promise<ReadonlySet<string>> | undefined;

/** The 18,000 most common passwords that are long enough, read when first asked for: an idle server never holds them. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  common ??= import("@zxcvbn-ts/language-common").then(({ dictionary }) => {
    const ranked = dictionary["passwords-common"] as readonly string[];
    return new Set(ranked.filter((password) => password.length >= PASSWORD_MIN_LENGTH).map((p) => p.toLowerCase()));
  });
  return common;
}

/**
 * Usernames and email addresses: what a new one may be, and the one key each is looked up by.
 * Two names that look alike to a person (case, width, composed accents) share a key, and the key has a unique index.
 */

export const USERNAME_LENGTH = 150;
export const EMAIL_LENGTH = 254;
export const PERSON_NAME_LENGTH = 150;

/**
 * The key of a username or an email: compatibility forms and case folded away (Unicode NFKC and full case mapping).
 * By way of upper case, so that "ß", "ẞ", "SS" and "ss" meet; again until nothing changes, because folding can make what
 * folds further, and a key of a key must be the key.
 */
export function toKey(name: string): string {
  const folded = name.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().normalize("NFKC");
  return folded === name ? folded : toKey(folded);
}

/** The form in which a username is kept: composed, compatibility forms folded; its case is the owner's. */
export const toUsername = (text: string): string => text.normalize("NFKC");

/** Says what is wrong with a field that has to be a text: a body that nobody has looked at may hold anything, or nothing. */
export function textProblem(value: unknown): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : "must be well-formed Unicode";
  return value === undefined ? "is required" : "must be a text";
}

/** Says what is wrong with a new username, worded to follow its field's name; `undefined` when nothing is. */
export function usernameProblem(text: string): string | undefined {
  const problem = textProblem(text);
  if (problem) return problem;
  const username = toUsername(text);
  if (username === "") return "must not be empty";
  if ([...username].length > USERNAME_LENGTH || toKey(username).length > USERNAME_LENGTH * 2) {
    return `must have at most ${USERNAME_LENGTH} characters`;
  }
  // An "@" would let one person's username be another's email.
  if (username.includes("@")) return "must not contain '@'";
  if (!/^[\p{L}\p{M}\p{N}._+-]+$/u.test(username)) return "may contain letters, digits and . _ + - only";
  // Variation selectors and their like: no eye tells the name from the one without.
  if (/\p{Default_Ignorable_Code_Point}/u.test(username)) return "must not contain characters that can't be seen";
  if (/^\p{M}/u.test(username)) return "must not begin with a combining mark";
  return undefined;
}

/** Says what is wrong with a new email address. Shape only: that it is the owner's, only a message to it can show. */
export function emailProblem(text: string): string | undefined {
  const problem = textProblem(text);
  if (problem) return problem;
  if (text.length > EMAIL_LENGTH || toKey(text).length > EMAIL_LENGTH)
    return `must have at most ${EMAIL_LENGTH} characters`;
  if (/\p{Default_Ignorable_Code_Point}/u.test(text)) return "must not contain characters that can't be seen";
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  const isLocal =
    at > 0 && local.length <= 64 && /^[^\s@<>()[\]\\,;:"\p{C}]+$/u.test(local) && !/^\.|\.\.|\.$/.test(local);
  const isDomain =
    /^(?:[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}\p{N}-]{2,63}$/u.test(domain);
  return isLocal && isDomain ? undefined : "must be an email address such as name@example.com";
}

/** Says what is wrong with a first or last name. Markup and any script are fine; what no screen can show is not. */
export function personNameProblem(text: string): string | undefined {
  const problem = textProblem(text);
  if (problem) return problem;
  if ([...text].length > PERSON_NAME_LENGTH) return `must have at most ${PERSON_NAME_LENGTH} characters`;
  if (/\p{Cc}/u.test(text)) return "must not contain control characters";
  return undefined;
}

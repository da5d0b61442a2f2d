/**
 * Plain words for everything that can go wrong: what happened, and what to do about it.
 * Codes are the server's (docs/api.md) and the client's; a test holds this table to theirs.
 */

const LOST_SESSION = "You are not signed in any more. Sign in again to go on.";

/** A sentence for each public code. */
export const WORDS: Readonly<Record<string, string>> = {
  credentials_missing: LOST_SESSION,
  credentials_repeated: "The request carried two sets of credentials. Reload the page and try again.",
  token_expired: LOST_SESSION,
  token_invalid: LOST_SESSION,
  token_subject_missing: LOST_SESSION,
  user_not_found: "That account is not there any more, or it was taken out of service.",
  origin_refused: "The request did not come from this page. Open the console at its own address and try again.",
  insufficient_scope: "Your account may not do this. Ask somebody on the staff.",
  invalid_credentials: "The name or the password is not right.",
  wrong_password: "That is not your current password.",
  refresh_token_invalid: LOST_SESSION,
  refresh_token_expired: "You were away for too long. Sign in again to go on.",
  refresh_token_reused:
    "This session was ended, because somebody else used it too. Sign in again, and change your password.",
  session_ended: "This session was ended. Sign in again to go on.",
  refresh_superseded: "This session went on in another place. Sign in again to go on.",
  own_account: "Nobody may change their own account here. Ask somebody else on the staff.",
  link_invalid:
    "That link is not good any more: it works once, and for one hour. Start the server again for a new one.",
  username_taken: "That username is taken. Choose another.",
  email_taken: "That email address has an account already. Sign in with it.",
  input_invalid: "Some fields need another look.",
  not_found: "That is not there any more. Somebody else may have ended or removed it.",
  method_not_allowed: "This server does not know how to do that. It may be older than this page: reload it.",
  json_invalid: "The server could not read what was sent. Reload the page and try again.",
  request_invalid: "The server could not read what was sent. Reload the page and try again.",
  body_too_large: "That is too long.",
  media_type_unsupported: "The server could not read what was sent. Reload the page and try again.",
  rate_limited: "Too many attempts. Wait a little, then try again.",
  busy: "The server has its hands full. Try again in a moment.",
  store_unavailable: "The server can't reach its database just now. Try again in a moment.",
  secret_unknown: "The server is being updated. Try again in a moment.",
  internal: "Something went wrong on the server's side. Its log says what.",
  unreachable: "The server does not answer. Check your connection; nothing you typed is lost.",
  unexpected_answer: "Something other than the server answered. A proxy or a network's sign-in page may be in between.",
};

interface Refusal {
  readonly code?: unknown;
  readonly retryAfter?: unknown;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** Says what went wrong, for a person. */
export function say(error: unknown): string {
  const { code, retryAfter } = Object(error) as Refusal;
  const words = WORDS[String(code)] ?? "Something went wrong in this page. Reload it and try again.";
  if (code === "rate_limited" && Number(retryAfter) > 1) {
    return `Too many attempts. Try again in ${sayDuration(Number(retryAfter))}.`;
  }
  return words;
}

/** What is wrong with each field, by its name; each to be shown after the field's label. */
export function fieldProblems(error: unknown): Readonly<Record<string, string>> {
  const { errors } = Object(error) as Refusal;
  return Object.fromEntries((errors ?? []).map(({ field, message }) => [field, message]));
}

/** Seconds, as one would say it: "40 seconds", "5 minutes". */
export function sayDuration(seconds: number): string {
  const units = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
  ] as const;
  for (const [size, unit] of units) if (seconds >= size * 2) return plural(Math.round(seconds / size), unit);
  return plural(Math.max(1, Math.round(seconds)), "second");
}

export const plural = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** A sentence begins with a capital and ends with a full stop. */
export const sentence = (text: string): string => {
  const [first = "", ...rest] = text;
  return `${first.toUpperCase()}${rest.join("")}${/[.!?]$/.test(text) ? "" : "."}`;
};

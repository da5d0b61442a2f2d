/** What a guard says of an access token that is good in itself and was taken back. */
import { AuthError } from "../errors.ts";
import type { Revocation } from "./revocation-index.ts";

export function takenBack(reason: Revocation["reason"]): AuthError {
  if (reason === "inactive") return new AuthError("user_not_found", { reason: "the user is inactive or deleted" });
  // At the refresh the same code has words about the refresh token.
  return new AuthError("session_ended", {
    reason: "the session has ended",
    detail: "Invalid token",
    bearer: "invalid_token",
  });
}

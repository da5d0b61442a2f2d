/** A refusal in the words of a dialect: what it means here, and what its clients read there. */
import { AuthError, type AuthErrorCode } from "../errors.ts";
import type { Answer } from "./route.ts";

export interface WireRefusalOptions extends Answer {
  /** What precisely went wrong, for logs. */
  readonly reason: string;
  readonly cause?: unknown;
}

export class WireRefusal extends AuthError {
  /** What is answered. */
  readonly answer: Answer;
  override readonly status: number;

  constructor(code: AuthErrorCode, { reason, cause, ...answer }: WireRefusalOptions) {
    super(code, { reason, cause });
    this.answer = answer;
    this.status = answer.status;
  }
}

/**
 * Which operations end a session, and from when on an end holds. An end that was acknowledged is in force for good,
 * unless a backup that was older than the end has been restored since: what a backup doesn't know nobody can.
 */
import type { Operation, Recording, SessionRecord } from "./record.ts";

/** True for an operation that ends the session if it is done. */
export function mayEnd(operation: Operation, session: SessionRecord): boolean {
  switch (operation.kind) {
    case "log-out":
      return operation.session === session;
    case "end-all":
    case "change-password":
    case "deactivate":
      // A login that read the user after it begins anew.
      return (
        !(operation.spares && operation.session === session) &&
        (operation.lastCall === undefined || (session.login.firstCall as number) < operation.lastCall)
      );
    case "refresh":
      return operation.token?.session === session && isReuse(operation);
    default:
      return false;
  }
}

/** True for a refresh that was taken for theft: it has ended its session. */
export const isReuse = ({ outcome }: Operation): boolean =>
  outcome?.is === "refused" && outcome.code === "refresh_token_reused";

/** The end of this session that had been acknowledged before that place in the order and held there, if any. */
export function endInForce(session: SessionRecord, order: number, recording: Recording): Operation | undefined {
  return recording.operations.find(
    (operation) =>
      operation.settled !== undefined &&
      operation.settled < order &&
      (operation.outcome?.is === "done" || isReuse(operation)) &&
      mayEnd(operation, session) &&
      !isUndone(operation, order, recording),
  );
}

/** True when a restored backup has forgotten what the operation wrote. */
function isUndone({ lastCall = 0 }: Operation, order: number, { restores }: Recording): boolean {
  return restores.some((restore) => lastCall < restore.order && restore.order < order && restore.backup < lastCall);
}

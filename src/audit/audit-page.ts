/** Pages of the audit trail, newest first: by user or by type from their own indexes, so that a page costs the same however long the trail is. */
import { AuthError } from "../errors.ts";
import * as queries from "../storage/queries.ts";
import type { Row, Storage } from "../storage/storage.ts";
import type { AuditQuery } from "./audit.ts";

const USUAL_PAGE = 50;
const LARGEST_PAGE = 1000;

export async function pageOfEntries(
  storage: Storage,
  { userId, type, since = 0, after, limit = USUAL_PAGE }: AuditQuery,
): Promise<{ readonly rows: readonly Row[]; readonly next: string | undefined }> {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > LARGEST_PAGE) {
    throw invalid("limit", `must be a whole number from 1 to ${LARGEST_PAGE}`);
  }
  if (!Number.isSafeInteger(since) || since < 0) throw invalid("since", "must be whole seconds since 1970");
  if (userId !== undefined && !Number.isSafeInteger(userId)) throw invalid("user", "must be the id of a user");
  const page = { before: after === undefined ? Number.MAX_SAFE_INTEGER : readCursor(after), since, limit: limit + 1 };
  const found = await storage.read(
    userId !== undefined && type !== undefined
      ? queries.auditOfUserAndType(userId, type, page)
      : userId !== undefined
        ? queries.auditOfUser(userId, page)
        : type !== undefined
          ? queries.auditOfType(type, page)
          : queries.auditPage(page),
  );
  const rows = found.slice(0, limit);
  return { rows, next: found.length > limit ? String(rows.at(-1)?.id) : undefined };
}

function readCursor(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw invalid("after", "must be the `next` of another page");
}

const invalid = (field: string, message: string) => new AuthError("input_invalid", { errors: [{ field, message }] });

/** Rows over the audit trail: users see their own, staff all of it. */
import * as z from "zod";
import { AUDIT_TYPES, type AuditEntry, type AuditPage } from "../audit/audit.ts";
import { AuthError } from "../errors.ts";
import { route } from "../http/route.ts";
import { like, parameter, toInstant, wholeNumber } from "./latchkey-shapes.ts";

const LARGEST_PAGE = 200;

const PageQuery = {
  after: parameter("The `next` of the page before.", { max: 20 }),
  limit: wholeNumber("Entries on a page. Default 50.", { min: 1, max: LARGEST_PAGE }),
};

const OwnQuery = z.object(PageQuery);

const Query = z.object({
  ...PageQuery,
  user: parameter("The id of a user: entries about that account.", { max: 16 }),
  type: z
    .enum(AUDIT_TYPES, { error: `must be one of ${AUDIT_TYPES.join(", ")}` })
    .describe("Entries of one kind.")
    .optional(),
  since: parameter("An instant, as 2026-01-31T12:00:00Z: nothing older.", { max: 40 }),
});

const own = {
  id: like(z.string(), "412"),
  at: z.iso.datetime(),
  type: z.enum(AUDIT_TYPES),
  session_id: like(z.string().nullable(), "7"),
  ip: like(z.string().nullable(), "198.51.100.7"),
  user_agent: like(z.string().nullable(), "Mozilla/5.0"),
  reason: like(z.string().nullable(), null),
};

const OwnAnswer = z.object({
  entries: z
    .array(z.object({ ...own, by_staff: z.boolean().describe("True for what a member of staff has done.") }))
    .describe("Newest first."),
  next: z.string().nullable().describe("What to ask with as `after`, opaque; null on the last page."),
});

const Answer = z.object({
  entries: z
    .array(
      z.object({
        ...own,
        user_id: like(
          z.int().nullable().describe("Whose account it is about; null where no account has the name that was given."),
          1,
        ),
        actor_id: like(z.int().nullable().describe("The member of staff who did it."), null),
      }),
    )
    .describe("Newest first."),
  next: z.string().nullable().describe("What to ask with as `after`, opaque; null on the last page."),
});

export const auditRoutes = [
  route({
    method: "GET",
    path: "/v1/users/me/audit",
    summary: "What has happened to my account, newest first",
    guard: "bearer",
    query: OwnQuery,
    answer: OwnAnswer,
    group: "Users",
    async handle({ auth, identity, query }) {
      const { entries, next } = await auth.audit.list({ ...query, userId: identity.userId });
      const body: z.output<typeof OwnAnswer> = {
        entries: entries.map((entry) => ({ ...fromEntry(entry), by_staff: entry.actorId !== undefined })),
        next: next ?? null,
      };
      return { status: 200, body };
    },
  }),
  route({
    method: "GET",
    path: "/v1/audit",
    summary: "The audit trail, newest first",
    guard: "staff",
    query: Query,
    answer: Answer,
    group: "Staff",
    async handle({ auth, query: { user, since, ...query } }) {
      const page: AuditPage = await auth.audit.list({ ...query, userId: readUser(user), since: readInstant(since) });
      const body: z.output<typeof Answer> = {
        entries: page.entries.map((entry) => ({
          ...fromEntry(entry),
          user_id: entry.userId ?? null,
          actor_id: entry.actorId ?? null,
        })),
        next: page.next ?? null,
      };
      return { status: 200, body };
    },
  }),
];

const fromEntry = ({ id, at, type, sessionId, ip, userAgent, reason }: AuditEntry) => ({
  id,
  at: toInstant(at),
  type,
  session_id: sessionId ?? null,
  ip: ip ?? null,
  user_agent: userAgent ?? null,
  reason: reason ?? null,
});

function readUser(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new AuthError("input_invalid", { errors: [{ field: "user", message: "must be the id of a user" }] });
}

function readInstant(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = /^\d{4}-\d\d-\d\d(?:T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (milliseconds >= 0) return Math.floor(milliseconds / 1000);
  throw new AuthError("input_invalid", {
    errors: [{ field: "since", message: "must be an instant, as 2026-01-31T12:00:00Z" }],
  });
}

/**
 * The rows of the default dialect by which staff see and change users. What they may do is judged in staff.ts; here it is only named.
 */
import * as z from "zod";
import { AuthError } from "../errors.ts";
import { route } from "../http/route.ts";
import { LARGEST_PAGE, SEARCH_LENGTH, USUAL_PAGE } from "../users/user-search.ts";
import { fromSession, fromUser, like, parameter, SessionsAnswer, UserAnswer, wholeNumber } from "./latchkey-shapes.ts";

const UsersQuery = z.object({
  search: parameter("What a username or an email begins with, without regard to case.", { max: SEARCH_LENGTH }),
  after: parameter("The `next` of the page before.", { max: 8002 }),
  limit: wholeNumber(`Users on a page. Default ${USUAL_PAGE}.`, { min: 1, max: LARGEST_PAGE }),
});

const UsersAnswer = z.object({
  users: z
    .array(UserAnswer)
    .describe("By id; of a search, by what was found. May be fewer than the limit while there is a `next`."),
  next: like(z.string(), "50").nullable().describe("What to ask with as `after`, opaque; null on the last page."),
});

const flag = (description: string) =>
  z.boolean({ error: "must be true or false, or absent" }).describe(description).optional();

/** A field that there is not, where its name is one and not, say, a password. */
const nameOf = (field = "") => (/^\w{1,30}$/.test(field) ? field : "another field");

const UserPatch = z
  .strictObject(
    {
      is_active: like(flag("False takes the user out of service and ends all sessions."), false),
      is_staff: flag("Whether the user is staff; a role that is taken ends all sessions."),
      is_superuser: flag("Whether the user may also change staff; a role that is taken ends all sessions."),
    },
    {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? `only is_active, is_staff and is_superuser can be changed, not ${nameOf(issue.keys[0])}`
          : "the body must be a JSON object",
    },
  )
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), {
    error: "at least one of is_active, is_staff and is_superuser must be given",
    when: ({ issues }) => issues.length === 0,
  });

/** The id of a path. @throws AuthError `not_found` for what is none. */
function readUserId(text: string | undefined): number {
  const id = /^[1-9]\d{0,15}$/.test(text ?? "") ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(id)) return id;
  throw noUser();
}

const noUser = () => new AuthError("not_found", { detail: "There is no user with that id.", reason: "no such user" });

export const staffRoutes = [
  route({
    method: "GET",
    path: "/v1/users",
    summary: "List users, or search them by how a username or an email begins",
    guard: "staff",
    query: UsersQuery,
    answer: UsersAnswer,
    group: "Staff",
    async handle({ auth, query }) {
      const { users, next } = await auth.users.list(query);
      return { status: 200, body: { users: users.map(fromUser), next: next ?? null } };
    },
  }),
  route({
    method: "GET",
    path: "/v1/users/:id",
    summary: "Show a user",
    guard: "staff",
    answer: UserAnswer,
    refusals: ["not_found"],
    group: "Staff",
    async handle({ auth, params }) {
      const user = await auth.users.byId(readUserId(params.id));
      if (!user) throw noUser();
      return { status: 200, body: fromUser(user) };
    },
  }),
  route({
    method: "PATCH",
    path: "/v1/users/:id",
    summary: "Take a user out of service or back; give or take roles",
    guard: "staff",
    body: UserPatch,
    answer: UserAnswer,
    refusals: ["not_found", "own_account", "busy"],
    group: "Staff",
    async handle({ auth, identity, params, body }) {
      const change = { isActive: body.is_active, isStaff: body.is_staff, isSuperuser: body.is_superuser };
      return { status: 200, body: fromUser(await auth.staff.update(identity.userId, readUserId(params.id), change)) };
    },
  }),
  route({
    method: "GET",
    path: "/v1/users/:id/sessions",
    summary: "List the live sessions of a user, newest first",
    guard: "staff",
    answer: SessionsAnswer,
    refusals: ["not_found"],
    group: "Staff",
    async handle({ auth, identity, params }) {
      const user = await auth.users.byId(readUserId(params.id));
      if (!user) throw noUser();
      const sessions = await auth.sessions.list(user.id);
      return { status: 200, body: { sessions: sessions.map((session) => fromSession(session, identity.sessionId)) } };
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/users/:id/sessions",
    summary: "End all sessions of a user",
    guard: "staff",
    refusals: ["not_found", "busy"],
    group: "Staff",
    async handle({ auth, identity, params }) {
      await auth.staff.endSessions(identity.userId, readUserId(params.id));
      return { status: 204 };
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/users/:id/sessions/:session",
    summary: "End one session of a user",
    guard: "staff",
    refusals: ["not_found"],
    group: "Staff",
    async handle({ auth, identity, params }) {
      const isEnded = await auth.staff.endSession(identity.userId, readUserId(params.id), params.session as string);
      if (!isEnded) throw new AuthError("not_found", { detail: "The user has no live session with that id." });
      return { status: 204 };
    },
  }),
];

/**
 * What staff may do to users: the one place where roles are judged.
 * A role is in no token: it is read from the store when it is used, and looked at once more in the transaction that rests on it, so one that was taken
 * does nothing from that moment on. Members of staff act one after the other. Nobody acts on their own account, and who acts on staff
 * is a superuser; so whatever is done, and by however many at once, the superuser who did the last of it remains.
 */
import type { Entry, Occurrence } from "./audit/audit.ts";
import { AuthError } from "./errors.ts";
import { readId } from "./revocations/token-subject.ts";
import type { Sessions } from "./sessions/sessions.ts";
import * as queries from "./storage/queries.ts";
import type { Statement } from "./storage/storage.ts";
import type { UserStatements } from "./storage/user-statements.ts";
import type { System } from "./system.ts";
import type { User, Users } from "./users/users.ts";

/** What is to be changed of a user; what is absent stays. */
export interface UserChange {
  /** False takes the user out of service and ends all sessions. */
  readonly isActive?: boolean | undefined;
  /** A role that is taken ends all sessions, and with them the tokens into which an application may have put it. */
  readonly isStaff?: boolean | undefined;
  readonly isSuperuser?: boolean | undefined;
}

export interface Staff {
  /** Who acts, as the store knows them now. @throws AuthError `insufficient_scope` for who is not, or no longer, staff. */
  require(actorId: number): Promise<User>;
  /**
   * Changes a user; what is so already is fine.
   * @throws AuthError `insufficient_scope`, `not_found`, `own_account`, and `input_invalid` where the users table has no such column.
   */
  update(actorId: number, userId: number, change: UserChange): Promise<User>;
  /** @returns false when the user has no such live session. @throws AuthError `insufficient_scope`, `not_found`. */
  endSession(actorId: number, userId: number, sessionId: string): Promise<boolean>;
  /** Ends all sessions of a user. @throws AuthError `insufficient_scope`, `not_found`. */
  endSessions(actorId: number, userId: number): Promise<void>;
}

export interface StaffOptions {
  readonly users: Pick<Users, "byId">;
  readonly sessions: Pick<Sessions, "endAllStatements" | "end">;
  readonly statements: UserStatements;
  readonly system: System;
  /** Commits and makes it known; false when a guard failed. */
  readonly commit: (statements: readonly Statement[]) => Promise<boolean>;
  /** Makes entries of the audit trail. */
  readonly record: (occurrence: Occurrence) => Entry;
}

/** What happens to a user. */
type Happened = Pick<Occurrence, "type" | "reason">;

/** A decision is overtaken only by another change of one of the two users. */
const MAX_ROUNDS = 5;

export type ApplyChange = (userId: number, change: UserChange) => Promise<User>;

/** @returns what staff may do, and the same change for who needs no leave: the operator, and the application itself. */
export function createStaff(options: StaffOptions): { readonly staff: Staff; readonly apply: ApplyChange } {
  const { users, sessions, statements, system, commit, record } = options;

  async function require(actorId: number): Promise<User> {
    const actor = await users.byId(actorId);
    if (actor && isStaff(actor)) return actor;
    throw new AuthError("insufficient_scope", { reason: "not staff, or no longer" });
  }

  async function find(userId: number): Promise<User> {
    const user = await users.byId(userId);
    if (user) return user;
    throw new AuthError("not_found", { detail: "There is no user with that id.", reason: "no such user" });
  }

  /** Looks at both, judges, and commits what follows as long as neither has changed meanwhile. */
  async function act<Result>(
    actorId: number,
    userId: number,
    judge: (
      actor: User,
      user: User,
    ) => { readonly statements: readonly Statement[]; readonly events: readonly Happened[]; readonly result: Result },
  ): Promise<Result> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const actor = await require(actorId);
      const user = actorId === userId ? actor : await find(userId);
      const { statements: changes, events, result } = judge(actor, user);
      if (changes.length === 0) return result;
      const unchanged = [queries.userStillIs(actor), queries.userStillIs(user)];
      const entries = events.map((event) =>
        record({ ...event, userId, actorId: actorId === userId ? undefined : actorId }),
      );
      const recorded = entries.map(({ statement }) => statement);
      if (await commit([queries.takeTurn(), ...unchanged, ...changes, ...recorded])) {
        for (const entry of entries) entry.tell();
        return result;
      }
    }
    throw new AuthError("busy", { reason: "the users changed under every attempt to judge them" });
  }

  /** What makes a change true; nothing for what is so already. */
  function toStatements(user: User, { isActive, isStaff, isSuperuser }: UserChange): Statement[] {
    const { id } = user;
    const now = system.now();
    const since = (is: boolean) => (is ? now : null);
    const isTaken = (user.isStaff && isStaff === false) || (user.isSuperuser && isSuperuser === false);
    const endsAll = isTaken && !(user.isActive && isActive === false);
    return [
      ...(isActive === true && !user.isActive ? [statements.reactivate(id)] : []),
      ...(isStaff !== undefined && isStaff !== user.isStaff ? [statements.setStaff(id, since(isStaff))] : []),
      ...(isSuperuser !== undefined && isSuperuser !== user.isSuperuser
        ? [statements.setSuperuser(id, since(isSuperuser))]
        : []),
      ...(endsAll ? [statements.bumpEpoch(id), ...sessions.endAllStatements(id, "all")] : []),
      ...(isActive === false && user.isActive
        ? [...statements.deactivate(id, now), ...sessions.endAllStatements(id, "inactive")]
        : []),
    ];
  }

  const staff: Staff = {
    require,

    update: (actorId, userId, change) =>
      act(actorId, userId, (actor, user) => {
        requireLeave(actor, user, change);
        return {
          statements: toStatements(user, change),
          events: toEvents(user, change),
          result: changed(user, change),
        };
      }),

    async endSession(actorId, userId, sessionId) {
      const id = readId(sessionId);
      const actor = await require(actorId);
      requireLeaveToEnd(actor, await find(userId));
      return (
        id !== undefined && (await sessions.end(userId, id, { actorId: actorId === userId ? undefined : actorId }))
      );
    },

    endSessions: (actorId, userId) =>
      act(actorId, userId, (actor, user) => {
        requireLeaveToEnd(actor, user);
        return {
          statements: [statements.bumpEpoch(userId), ...sessions.endAllStatements(userId, "all")],
          events: [{ type: "sessions_ended" }],
          result: undefined,
        };
      }),
  };

  async function apply(userId: number, change: UserChange): Promise<User> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const user = await users.byId(userId);
      if (!user) throw new AuthError("user_not_found");
      const changes = toStatements(user, change);
      const entries = toEvents(user, change).map((event) => record({ ...event, userId }));
      const recorded = entries.map(({ statement }) => statement);
      if (changes.length === 0 || (await commit([queries.userStillIs(user), ...changes, ...recorded]))) {
        for (const entry of entries) entry.tell();
        return changed(user, change);
      }
    }
    throw new AuthError("busy", { reason: "the user changed under every attempt" });
  }

  return { staff, apply };
}

const isStaff = (user: User) => user.isActive && (user.isStaff || user.isSuperuser);

/** The rule. @throws AuthError `own_account`, `insufficient_scope`. */
function requireLeave(actor: User, user: User, change: UserChange): void {
  if (actor.id === user.id) throw new AuthError("own_account");
  if (actor.isSuperuser) return;
  if (change.isStaff !== undefined || change.isSuperuser !== undefined) {
    throw new AuthError("insufficient_scope", { detail: "Only a superuser gives and takes roles.", reason: "roles" });
  }
  if (user.isStaff || user.isSuperuser) throw superuserOnly();
}

/** Their own sessions everybody may end. */
function requireLeaveToEnd(actor: User, user: User): void {
  if (actor.id !== user.id && !actor.isSuperuser && (user.isStaff || user.isSuperuser)) throw superuserOnly();
}

const superuserOnly = () =>
  new AuthError("insufficient_scope", { detail: "Only a superuser may do this to staff.", reason: "staff on staff" });

/** What the audit trail is told of a change. */
function toEvents(user: User, { isActive, isStaff, isSuperuser }: UserChange): Happened[] {
  const isRoleChanged = (now: boolean | undefined, before: boolean) => now !== undefined && now !== before;
  const roles = [
    ...(isRoleChanged(isStaff, user.isStaff) ? [`staff ${isStaff ? "given" : "taken"}`] : []),
    ...(isRoleChanged(isSuperuser, user.isSuperuser) ? [`superuser ${isSuperuser ? "given" : "taken"}`] : []),
  ];
  return [
    ...(isActive === true && !user.isActive ? [{ type: "reactivated" } as const] : []),
    ...(isActive === false && user.isActive ? [{ type: "deactivated" } as const] : []),
    ...(roles.length > 0 ? [{ type: "roles_changed", reason: roles.join(", ") } as const] : []),
  ];
}

const changed = (user: User, { isActive, isStaff, isSuperuser }: UserChange): User => ({
  ...user,
  isActive: isActive ?? user.isActive,
  isStaff: isStaff ?? user.isStaff,
  isSuperuser: isSuperuser ?? user.isSuperuser,
});

/**
 * Every query of the engine, once, in the SQL that SQLite and PostgreSQL both understand.
 * Ids and instants (seconds) are bigint; a nullable instant stands where a boolean would. No statement reads a
 * parameter's type from context alone, no `::`, no FOR UPDATE, no least/greatest.
 */
import { guard, type Row, type Statement, sql, waking } from "./storage.ts";

export interface NewUser {
  readonly username: string;
  readonly usernameKey: string;
  readonly email: string;
  readonly emailKey: string;
  readonly password: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly now: number;
}

/** Where a request came from. */
export interface Origin {
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface NewSession extends Origin {
  readonly userId: number;
  readonly userEpoch: number;
  readonly handleHash: string;
  readonly mode: "rotating" | "fixed";
  readonly attempts: string;
  readonly now: number;
  readonly accessExpiresAt: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  /** Hash of another system's refresh token that this session takes the place of. */
  readonly adoptedFrom?: string;
}

/** One compare-and-set from `from` to `to`. */
export interface Rotation extends Origin {
  readonly id: number;
  readonly handleHash: string;
  readonly from: number;
  readonly to: number;
  /** The row must have rotated before this instant (or, the clock having jumped, after `now`). */
  readonly rotatedBefore: number;
  readonly attempt: string;
  readonly noAttempt: string;
  readonly now: number;
  readonly accessExpiresAt: number;
  readonly idleExpiresAt: number;
}

export type SessionEndReason = "logout" | "ended" | "limit" | "reuse" | "password" | "all" | "inactive" | "deleted";

/** `expiresAt` of a feed entry is the last `exp` it could have to catch, plus this: clock tolerance and slack for tokens in the making. */
export const FEED_SLACK = 65 + 60;

// Users ---------------------------------------------------------------------------------------------------------------

export const userById = (id: number): Statement => sql`
  select * from latchkey_users where id = cast(${id} as bigint)`;

export const userByUsername = (key: string): Statement => sql`select * from latchkey_users where username_key = ${key}`;

export const userByEmail = (key: string): Statement => sql`select * from latchkey_users where email_key = ${key}`;

/** Password hashes of the oldest and the newest users: enough to know in what formats they are. */
export const samplePasswords = (): Statement => sql`
  select password from (select password from latchkey_users order by id limit 50) oldest
  union all
  select password from (select password from latchkey_users order by id desc limit 50) newest`;

export const usersTaking = (usernameKey: string, emailKey: string): Statement => sql`
  select username_key, email_key from latchkey_users where username_key = ${usernameKey} or email_key = ${emailKey}`;

/** Returns no row when the username or the email is taken. */
export const insertUser = (user: NewUser): Statement => sql`
  insert into latchkey_users (username, username_key, email, email_key, password, first_name, last_name, epoch, created_at)
  values (${user.username}, ${user.usernameKey}, ${user.email}, ${user.emailKey}, ${user.password}, ${user.firstName},
    ${user.lastName}, 0, ${user.now})
  on conflict do nothing
  returning *`;

export const touchLogin = (id: number, now: number): Statement => sql`
  update latchkey_users set last_login_at = ${now} where id = ${id}`;

/** Only over the hash that was verified: a password change in between must not be undone. */
export const rehashPassword = (id: number, verified: string, password: string): Statement => sql`
  update latchkey_users set password = ${password} where id = ${id} and password = ${verified}`;

export const changePassword = (id: number, verified: string, password: string): Statement => guard`
  update latchkey_users set password = ${password}, epoch = epoch + 1
  where id = ${id} and password = ${verified} and deactivated_at is null
  returning epoch`;

export const bumpEpoch = (id: number): Statement => guard`
  update latchkey_users set epoch = epoch + 1 where id = ${id} returning epoch`;

export const deactivateUser = (id: number, now: number): Statement => guard`
  update latchkey_users set deactivated_at = ${now}, epoch = epoch + 1
  where id = ${id} and deactivated_at is null
  returning epoch`;

export const reactivateUser = (id: number): Statement => sql`
  update latchkey_users set deactivated_at = null where id = ${id} and deactivated_at is not null returning id`;

export const deleteUser = (id: number): Statement => guard`delete from latchkey_users where id = ${id} returning id`;

/** Users with ids above `after`, in order; with a search, those whose username or email begins with it. */
export const usersPage = (after: number, limit: number, searchKey: string): Statement => sql`
  select * from latchkey_users
  where id > cast(${after} as bigint) and (substr(username_key, 1, length(${searchKey})) = ${searchKey}
    or substr(email_key, 1, length(${searchKey})) = ${searchKey})
  order by id limit ${limit}`;

/** What is looked for, and where each of the two columns is entered. */
export interface KeyRange {
  readonly usernameFrom: string;
  readonly emailFrom: string;
  /** Behind every key that is looked for. */
  readonly end: string;
  readonly limit: number;
}

/**
 * Users by the keys of a range, in the order of the keys; one whose username and email both lie in it comes twice. `found` is the key, `is_email` says which.
 * Each column's own index is read from where it is entered, and no further than the limit, however many there are.
 */
export const usersByKeys = ({ usernameFrom, emailFrom, end, limit }: KeyRange): Statement => sql`
  select * from (
    select * from (
      select username_key as found, 0 as is_email, n.* from latchkey_users n
      where username_key >= ${usernameFrom} and username_key < ${end} order by username_key limit ${limit}) by_username
    union all
    select * from (
      select email_key as found, 1 as is_email, e.* from latchkey_users e
      where email_key >= ${emailFrom} and email_key < ${end} order by email_key limit ${limit}) by_email) matching
  order by found, is_email limit ${limit}`;

/** Whatever the password was. */
export const setPassword = (id: number, password: string): Statement => guard`
  update latchkey_users set password = ${password}, epoch = epoch + 1 where id = ${id} returning epoch`;

/** @param at null, or since when. */
export const setStaff = (id: number, at: number | null): Statement => guard`
  update latchkey_users set staff_at = ${at} where id = ${id} returning id`;

/** @param at null, or since when. */
export const setSuperuser = (id: number, at: number | null): Statement => guard`
  update latchkey_users set superuser_at = ${at} where id = ${id} returning id`;

/** What staff do to users they do one after the other: held until the commit, on every store. */
export const takeTurn = (): Statement => sql`update latchkey_turns set taken = taken + 1`;

/** Fails when a user is not any more what a decision was taken on. */
export const userStillIs = (user: {
  readonly id: number;
  readonly isActive: boolean;
  readonly isStaff: boolean;
  readonly isSuperuser: boolean;
}): Statement => guard`
  select id from latchkey_users
  where id = cast(${user.id} as bigint)
    and case when deactivated_at is null then 1 else 0 end = ${user.isActive ? 1 : 0}
    and case when staff_at is null then 0 else 1 end = ${user.isStaff ? 1 : 0}
    and case when superuser_at is null then 0 else 1 end = ${user.isSuperuser ? 1 : 0}`;

/** Users with ids above `after` who have sessions that have not ended, in order. */
export const usersWithSessions = (after: number, limit: number): Statement => sql`
  select distinct user_id from latchkey_sessions where ended_at is null and user_id > ${after} order by user_id limit ${limit}`;

// The first user ------------------------------------------------------------------------------------------------------

export const anyUser = (): Statement => sql`select id from latchkey_users limit 1`;

export const dropFirstUserLinks = (): Statement => sql`delete from latchkey_first_user_links`;

export const insertFirstUserLink = (tokenHash: string, expiresAt: number): Statement => sql`
  insert into latchkey_first_user_links (token_hash, expires_at) values (${tokenHash}, ${expiresAt})`;

/** A row while the link is good: as long as nobody is staff. */
export const firstUserLink = (tokenHash: string, now: number): Statement => sql`
  select token_hash from latchkey_first_user_links where token_hash = ${tokenHash} and expires_at > ${now}
    and not exists (select 1 from latchkey_users where staff_at is not null or superuser_at is not null)`;

/** Spends the link. Of any number who bring it at once one gets a row. */
export const spendFirstUserLink = (tokenHash: string, now: number): Statement => guard`
  delete from latchkey_first_user_links where token_hash = ${tokenHash} and expires_at > ${now}
    and not exists (select 1 from latchkey_users where staff_at is not null or superuser_at is not null)
  returning token_hash`;

/** As `insertUser`, and staff; returns no row when a name is taken, and then the link is not spent either. */
export const insertFirstUser = (user: NewUser): Statement => guard`
  insert into latchkey_users (username, username_key, email, email_key, password, first_name, last_name, epoch, created_at, staff_at)
  values (${user.username}, ${user.usernameKey}, ${user.email}, ${user.emailKey}, ${user.password}, ${user.firstName},
    ${user.lastName}, 0, ${user.now}, ${user.now})
  on conflict do nothing
  returning *`;

// Sessions ------------------------------------------------------------------------------------------------------------

/** Returns no row when the token it is adopted from has a session already. */
export const insertSession = (session: NewSession): Statement => sql`
  insert into latchkey_sessions (user_id, user_epoch, handle_hash, mode, generation, rotated_at, attempts,
    access_expires_at, created_at, last_used_at, idle_expires_at, absolute_expires_at,
    first_ip, first_user_agent, last_ip, last_user_agent, adopted_from)
  values (${session.userId}, ${session.userEpoch}, ${session.handleHash}, ${session.mode}, 0, ${session.now},
    ${session.attempts}, ${session.accessExpiresAt}, ${session.now}, ${session.now}, ${session.idleExpiresAt},
    ${session.absoluteExpiresAt}, ${session.ip}, ${session.userAgent}, ${session.ip}, ${session.userAgent},
    ${session.adoptedFrom ?? null})
  on conflict do nothing
  returning id`;

export const adoptedSession = (adoptedFrom: string): Statement => sql`
  select id, handle_hash from latchkey_sessions where adopted_from = ${adoptedFrom}`;

/**
 * The compare-and-set of the refresh rule (rows 2 and 7). Of any number of concurrent callers exactly one gets a row.
 * An attempt id that is remembered already leaves an empty place, as does a rotation without one.
 */
export const rotateSession = (r: Rotation): Statement => sql`
  update latchkey_sessions set
    generation = ${r.to},
    rotated_at = ${r.now},
    last_used_at = ${r.now},
    last_ip = ${r.ip},
    last_user_agent = ${r.userAgent},
    attempts = substr(
      case when replace(attempts, ${r.attempt}, '') <> attempts then ${r.noAttempt} else ${r.attempt} end || attempts,
      1, 128),
    access_expires_at = case
      when access_expires_at > ${r.accessExpiresAt} then access_expires_at
      when absolute_expires_at < ${r.accessExpiresAt} then absolute_expires_at
      else ${r.accessExpiresAt} end,
    idle_expires_at = case when absolute_expires_at < ${r.idleExpiresAt} then absolute_expires_at else ${r.idleExpiresAt} end
  where id = ${r.id} and handle_hash = ${r.handleHash} and generation = ${r.from} and mode = 'rotating'
    and ended_at is null and idle_expires_at > ${r.now} and absolute_expires_at > ${r.now}
    and (rotated_at > ${r.now} or rotated_at < ${r.rotatedBefore})
    and exists (
      select 1 from latchkey_users u
      where u.id = latchkey_sessions.user_id and u.epoch = latchkey_sessions.user_epoch and u.deactivated_at is null)
  returning user_id, user_epoch, access_expires_at, rotated_at, idle_expires_at`;

/** Notes the use of a session that does not advance and lets its access tokens live until `accessExpiresAt`, or its own end; those of a fixed one to the full, as its dialect has it. */
export const useSession = (
  id: number,
  generation: number,
  now: number,
  accessExpiresAt: number,
  origin: Origin,
): Statement => sql`
  update latchkey_sessions set
    last_used_at = ${now},
    last_ip = ${origin.ip},
    last_user_agent = ${origin.userAgent},
    access_expires_at = case
      when access_expires_at > ${accessExpiresAt} then access_expires_at
      when mode = 'rotating' and absolute_expires_at < ${accessExpiresAt} then absolute_expires_at
      else ${accessExpiresAt} end
  where id = ${id} and generation = ${generation} and ended_at is null and idle_expires_at > ${now}
    and absolute_expires_at > ${now}
    and exists (
      select 1 from latchkey_users u
      where u.id = latchkey_sessions.user_id and u.epoch = latchkey_sessions.user_epoch and u.deactivated_at is null)
  returning user_id, user_epoch, access_expires_at, rotated_at, idle_expires_at`;

/** The session and what the rule must know of its user; `current_epoch` is null when the user is gone. */
export const sessionByHandle = (id: number, handleHash: string): Statement => sql`
  select s.*, u.epoch as current_epoch, u.deactivated_at as deactivated_at
  from latchkey_sessions s left join latchkey_users u on u.id = s.user_id
  where s.id = ${id} and s.handle_hash = ${handleHash}`;

/** What a guard asks when it may not or cannot trust the feed. */
export const sessionStanding = (id: number): Statement => sql`
  select s.user_id as user_id, s.user_epoch as user_epoch, s.ended_at as ended_at, u.epoch as current_epoch,
    u.deactivated_at as deactivated_at
  from latchkey_sessions s left join latchkey_users u on u.id = s.user_id
  where s.id = ${id}`;

export const liveSessions = (userId: number, now: number): Statement => sql`
  select s.* from latchkey_sessions s join latchkey_users u on u.id = s.user_id and u.epoch = s.user_epoch
  where s.user_id = ${userId} and s.ended_at is null and s.idle_expires_at > ${now} and s.absolute_expires_at > ${now}
  order by s.id desc`;

/** The live sessions of a user beyond the newest `limit`, oldest last; a few at a time. */
export const sessionsBeyond = (userId: number, limit: number, now: number): Statement => sql`
  select id from latchkey_sessions
  where user_id = ${userId} and ended_at is null and idle_expires_at > ${now} and absolute_expires_at > ${now}
  order by id desc limit 10 offset ${limit}`;

// Limits --------------------------------------------------------------------------------------------------------------

/** A count of failures and its rule; delays and instants in seconds. */
export interface FailureEntry {
  readonly bucket: string;
  /** So many come without delay. */
  readonly failures: number;
  readonly firstDelay: number;
  readonly longestDelay: number;
  readonly now: number;
}

/**
 * Enters a failure, unless the delay of those before it has not passed. A delay that is longer than there are comes of a clock that was set back.
 * Of any number at once as many get a row as there are failures without delay.
 */
export const enterFailure = (e: FailureEntry & { readonly keptFor: number }): Statement => guard`
  insert into latchkey_limits (bucket, failures, delay, next_at, expires_at)
  values (${e.bucket}, 1, ${e.failures > 1 ? 0 : e.firstDelay}, ${e.failures > 1 ? 0 : e.now + e.firstDelay}, ${e.now + e.keptFor})
  on conflict (bucket) do update set
    failures = case when latchkey_limits.expires_at <= ${e.now} then 1 else latchkey_limits.failures + 1 end,
    delay = case
      when latchkey_limits.expires_at <= ${e.now} or latchkey_limits.failures + 1 < ${e.failures} then excluded.delay
      when latchkey_limits.delay = 0 then cast(${e.firstDelay} as bigint)
      when latchkey_limits.delay * 2 > ${e.longestDelay} then cast(${e.longestDelay} as bigint)
      else latchkey_limits.delay * 2 end,
    next_at = case
      when latchkey_limits.expires_at <= ${e.now} or latchkey_limits.failures + 1 < ${e.failures} then excluded.next_at
      when latchkey_limits.delay = 0 then cast(${e.now + e.firstDelay} as bigint)
      when latchkey_limits.delay * 2 > ${e.longestDelay} then cast(${e.now + e.longestDelay} as bigint)
      else cast(${e.now} as bigint) + latchkey_limits.delay * 2 end,
    expires_at = ${e.now + e.keptFor}
  where latchkey_limits.expires_at <= ${e.now} or latchkey_limits.next_at <= ${e.now}
    or latchkey_limits.next_at > ${e.now + e.longestDelay}
  returning failures`;

/** The same where only a network that was signed in from has a count, for as long as it is known. */
export const enterKnownFailure = (e: FailureEntry): Statement => guard`
  update latchkey_limits set
    failures = failures + 1,
    delay = case
      when failures + 1 < ${e.failures} then 0
      when delay = 0 then cast(${e.firstDelay} as bigint)
      when delay * 2 > ${e.longestDelay} then cast(${e.longestDelay} as bigint)
      else delay * 2 end,
    next_at = case
      when failures + 1 < ${e.failures} then 0
      when delay = 0 then cast(${e.now + e.firstDelay} as bigint)
      when delay * 2 > ${e.longestDelay} then cast(${e.now + e.longestDelay} as bigint)
      else cast(${e.now} as bigint) + delay * 2 end
  where bucket = ${e.bucket} and expires_at > ${e.now} and (next_at <= ${e.now} or next_at > ${e.now + e.longestDelay})
  returning failures`;

/** Takes back one failure and the delay that it has brought; it had been let in, so nothing was to be waited for. */
export const takeBackFailure = (bucket: string, failures: number): Statement => sql`
  update latchkey_limits set
    failures = failures - 1,
    next_at = 0,
    delay = case when failures - 1 < ${failures} then 0 else delay / 2 end
  where bucket = ${bucket} and failures > 0`;

export const forgetFailures = (bucket: string): Statement => sql`
  update latchkey_limits set failures = 0, delay = 0, next_at = 0 where bucket = ${bucket}`;

export const knowNetwork = (bucket: string, until: number): Statement => sql`
  insert into latchkey_limits (bucket, failures, delay, next_at, expires_at) values (${bucket}, 0, 0, 0, ${until})
  on conflict (bucket) do update set failures = 0, delay = 0, next_at = 0, expires_at = ${until}`;

export const knownNetwork = (bucket: string, now: number): Statement => sql`
  select bucket from latchkey_limits where bucket = ${bucket} and expires_at > ${now}`;

export const limitsOf = (account: string, known: string, network: string): Statement => sql`
  select bucket, next_at, expires_at from latchkey_limits where bucket in (${account}, ${known}, ${network})`;

export const purgeLimits = (now: number, limit: number): Statement => sql`
  delete from latchkey_limits where bucket in (
    select bucket from latchkey_limits where expires_at < ${now} order by expires_at limit ${limit})`;

// The audit trail -----------------------------------------------------------------------------------------------------

export interface NewAuditEntry {
  readonly type: string;
  readonly now: number;
  readonly userId?: number | undefined;
  readonly actorId?: number | undefined;
  readonly sessionId?: number | undefined;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly reason: string | null;
}

export const insertAudit = (e: NewAuditEntry): Statement => sql`
  insert into latchkey_audit (at, type, user_id, actor_id, session_id, ip, user_agent, reason)
  values (${e.now}, ${e.type}, ${e.userId ?? null}, ${e.actorId ?? null}, ${e.sessionId ?? null}, ${e.ip}, ${e.userAgent}, ${e.reason})`;

/** Of a session whose user only the store knows. */
export const insertAuditOfSession = (e: NewAuditEntry & { readonly sessionId: number }): Statement => sql`
  insert into latchkey_audit (at, type, user_id, actor_id, session_id, ip, user_agent, reason)
  select cast(${e.now} as bigint), cast(${e.type} as text), user_id, cast(${e.actorId ?? null} as bigint), id,
    cast(${e.ip} as text), cast(${e.userAgent} as text), cast(${e.reason} as text)
  from latchkey_sessions where id = ${e.sessionId}`;

/** Of the session that the same transaction has made. */
export const insertAuditOfNewSession = (
  e: NewAuditEntry & { readonly userId: number },
  handleHash: string,
): Statement => sql`
  insert into latchkey_audit (at, type, user_id, actor_id, session_id, ip, user_agent, reason)
  select cast(${e.now} as bigint), cast(${e.type} as text), user_id, cast(${e.actorId ?? null} as bigint), id,
    cast(${e.ip} as text), cast(${e.userAgent} as text), cast(${e.reason} as text)
  from latchkey_sessions where user_id = ${e.userId} and ended_at is null and handle_hash = ${handleHash}`;

interface AuditRange {
  /** Entries with lower ids. */
  readonly before: number;
  readonly since: number;
  readonly limit: number;
}

export const auditPage = ({ before, since, limit }: AuditRange): Statement => sql`
  select * from latchkey_audit where id < ${before} and at >= ${since} order by id desc limit ${limit}`;

export const auditOfUser = (userId: number, { before, since, limit }: AuditRange): Statement => sql`
  select * from latchkey_audit where user_id = ${userId} and id < ${before} and at >= ${since} order by id desc limit ${limit}`;

export const auditOfType = (type: string, { before, since, limit }: AuditRange): Statement => sql`
  select * from latchkey_audit where type = ${type} and id < ${before} and at >= ${since} order by id desc limit ${limit}`;

export const auditOfUserAndType = (
  userId: number,
  type: string,
  { before, since, limit }: AuditRange,
): Statement => sql`
  select * from latchkey_audit
  where user_id = ${userId} and type = ${type} and id < ${before} and at >= ${since} order by id desc limit ${limit}`;

/** Deletes what is older among the oldest `limit`: those that are not old yet are not looked through each time. */
export const purgeAudit = (before: number, limit: number): Statement => sql`
  delete from latchkey_audit where id in (
    select id from (select id, at from latchkey_audit order by id limit ${limit}) oldest where at < ${before})`;

// Housekeeping --------------------------------------------------------------------------------------------------------

export const largestSessionId = (): Statement => sql`select max(id) as id from latchkey_sessions`;

/**
 * Deletes what died before `deadSince` among the sessions with ids above `after`, up to and with `upTo`. One that another system's token was adopted into stays
 * until that token has died as well: without the row it would be adopted anew, and an end undone.
 */
export const purgeSessions = (after: number, upTo: number, deadSince: number): Statement => sql`
  delete from latchkey_sessions
  where id > ${after} and id <= ${upTo}
    and (absolute_expires_at < ${deadSince}
      or (adopted_from is null and (ended_at < ${deadSince} or idle_expires_at < ${deadSince})))
  returning id`;

export const purgeRevocations = (now: number): Statement => sql`
  delete from latchkey_revocations where expires_at < ${now}`;

// Ends ----------------------------------------------------------------------------------------------------------------

/** Ends one session, whoever's it is, as long as it has advanced past `generation` (-1: in any state). */
export const endSession = (
  id: number,
  handleHash: string,
  generation: number,
  reason: SessionEndReason,
  now: number,
): Statement => guard`
  update latchkey_sessions set ended_at = ${now}, end_reason = ${reason}
  where id = ${id} and handle_hash = ${handleHash} and ended_at is null and generation > ${generation}
  returning id, user_id`;

/** Notes that its owner ended a session that something else had ended before; no row when the owner had done so already, or is a thief. */
export const noteLogout = (id: number, handleHash: string): Statement => sql`
  update latchkey_sessions set end_reason = 'logout'
  where id = ${id} and handle_hash = ${handleHash} and end_reason in ('limit', 'password', 'all', 'inactive', 'deleted')
  returning id`;

export const endSessionOf = (userId: number, id: number, reason: SessionEndReason, now: number): Statement => guard`
  update latchkey_sessions set ended_at = ${now}, end_reason = ${reason}
  where id = ${id} and user_id = ${userId} and ended_at is null
  returning id`;

/** Ends all sessions of a user but `except` (0: none is spared). */
export const endSessionsOf = (userId: number, except: number, reason: SessionEndReason, now: number): Statement => sql`
  update latchkey_sessions set ended_at = ${now}, end_reason = ${reason}
  where user_id = ${userId} and id <> ${except} and ended_at is null`;

/** Lets one session live on past a bump of its user's epoch. */
export const carrySession = (userId: number, id: number): Statement => sql`
  update latchkey_sessions set user_epoch = user_epoch + 1
  where id = ${id} and user_id = ${userId} and ended_at is null
    and user_epoch = (select u.epoch - 1 from latchkey_users u where u.id = cast(${userId} as bigint))`;

// The feed ------------------------------------------------------------------------------------------------------------
// A statement of each pair takes the next position from the one counter row; its lock makes commit order position order.

export const advanceFeed = (): Statement => waking`update latchkey_feed set head = head + 1`;

/**
 * Takes back a session's access tokens. @param atLeastUntil what a token signed now would expire at: a store that came back from a backup does not
 * know the newest ones.
 */
export const feedSession = (id: number, atLeastUntil: number, now: number): Statement => sql`
  insert into latchkey_revocations (position, session_id, reason, expires_at, created_at)
  select f.head, s.id, 'ended',
    case when s.access_expires_at > ${atLeastUntil} then s.access_expires_at else ${atLeastUntil} end + ${FEED_SLACK}, ${now}
  from latchkey_feed f, latchkey_sessions s where s.id = ${id}`;

/** Takes back the user's access tokens below the epoch they have now, but for those of session `except` (null: none). */
export const feedUser = (
  userId: number,
  except: number | null,
  reason: "ended" | "inactive",
  expiresAt: number,
  now: number,
): Statement => sql`
  insert into latchkey_revocations (position, user_id, epoch, except_session_id, reason, expires_at, created_at)
  select f.head, u.id, u.epoch, ${except}, ${reason}, ${expiresAt}, ${now}
  from latchkey_feed f, latchkey_users u where u.id = cast(${userId} as bigint)`;

export const feedHead = (): Statement => sql`select store_id, head from latchkey_feed`;

/** At most 10,000 entries after a position, oldest first; also those that have expired, because the clock may be ahead today and not tomorrow. */
export const feedSince = (position: number): Statement => sql`
  select * from latchkey_revocations where position > ${position} order by position limit 10000`;

// Keys ----------------------------------------------------------------------------------------------------------------
// Every change takes the lease first, so that one instance does the work, and then bumps the ring's version under a guard,
// so that one whose lease has run out meanwhile changes nothing.

export const keyRing = (): Statement => sql`select version from latchkey_key_ring`;

/** Oldest first. */
export const keys = (): Statement => sql`select * from latchkey_keys order by published_at, kid`;

/** Returns no row while somebody else holds it. */
export const takeKeyLease = (holder: string, now: number, until: number): Statement => guard`
  update latchkey_key_ring set lease_holder = ${holder}, lease_until = ${until}
  where lease_holder = ${holder} or lease_holder = '' or lease_until <= ${now}
  returning version`;

export const dropKeyLease = (holder: string): Statement => sql`
  update latchkey_key_ring set lease_holder = '' where lease_holder = ${holder}`;

/** First of every change: ends the lease and fails when the ring is not as it was when the lease was taken. */
export const changeKeyRing = (version: number, holder: string): Statement => ({
  ...guard`
  update latchkey_key_ring set version = version + 1, lease_holder = ''
  where version = ${version} and lease_holder = ${holder}
  returning version`,
  wakes: true,
});

export interface NewKey {
  readonly kid: string;
  readonly alg: string;
  readonly state: "next" | "active";
  readonly sealed: string | null;
  readonly now: number;
}

export const insertKey = (key: NewKey): Statement => sql`
  insert into latchkey_keys (kid, alg, state, sealed, published_at, activated_at)
  values (${key.kid}, ${key.alg}, ${key.state}, ${key.sealed}, ${key.now}, ${key.state === "active" ? key.now : null})`;

export const activateKey = (kid: string, now: number): Statement => guard`
  update latchkey_keys set state = 'active', activated_at = ${now}, retiring_at = null, verifies_until = null
  where kid = ${kid} and state in ('next', 'retiring', 'retired')
  returning kid`;

/** The active key signs no more; `sealed` is what is left of it for verifying. */
export const retireKey = (kid: string, now: number, verifiesUntil: number, sealed: string | null): Statement => guard`
  update latchkey_keys set state = 'retiring', retiring_at = ${now}, verifies_until = ${verifiesUntil}, sealed = ${sealed}
  where kid = ${kid} and state = 'active'
  returning kid`;

/** Nothing that it has signed is taken any more. */
export const closeKey = (
  kid: string,
  state: "retired" | "compromised",
  note: string | null,
  now: number,
): Statement => sql`
  update latchkey_keys set state = ${state}, retired_at = ${now}, note = ${note}, sealed = null
  where kid = ${kid} and state <> 'compromised'`;

export const resealKey = (kid: string, sealed: string): Statement => sql`
  update latchkey_keys set sealed = ${sealed} where kid = ${kid} and sealed is not null`;

export const forgetKeys = (closedBefore: number): Statement => sql`
  delete from latchkey_keys where state in ('retired', 'compromised') and retired_at < ${closedBefore}`;

// The schema ----------------------------------------------------------------------------------------------------------

export const migrationsApplied = (): Statement => sql`
  select version, name, applied_at from latchkey_migrations order by version`;

// Moving a store ------------------------------------------------------------------------------------------------------
// The one place where a statement is put together: of names in this table and of columns that `isColumn` allows.

/** What moves with a store, in this order, and the column that its rows are walked by. Migrations and leases stay behind. */
export const MOVED_TABLES = {
  latchkey_users: "id",
  latchkey_sessions: "id",
  latchkey_revocations: "position",
  latchkey_keys: "kid",
  latchkey_user_state: "user_id",
  latchkey_audit: "id",
} as const;

export type MovedTable = keyof typeof MOVED_TABLES;

/** One template for each text, so that drivers prepare it once. */
const templates = new Map<string, readonly string[]>();

function assembled(strings: readonly string[], values: Statement["values"]): Statement {
  const text = strings.join("?");
  const template = templates.get(text) ?? strings;
  templates.set(text, template);
  return { strings: template, values };
}

const isColumn = (name: string): boolean => /^[a-z][a-z0-9_]{0,62}$/.test(name);

/** Rows after a key, in its order. */
export function movedRows(table: MovedTable, after: string | number, limit: number): Statement {
  const key = MOVED_TABLES[table];
  return assembled([`select * from ${table} where ${key} > `, ` order by ${key} limit `, ""], [after, limit]);
}

/** Puts a row where there is none with its key. @throws TypeError for a name that is no column's. */
export function putRow(table: MovedTable, row: Row): Statement {
  const columns = Object.keys(row);
  if (!Object.hasOwn(MOVED_TABLES, table) || !columns.every(isColumn)) throw new TypeError("that is no row of a store");
  const start = `insert into ${table} (${columns.join(", ")}) values (`;
  const between = columns.slice(1).map(() => ", ");
  return assembled([start, ...between, ") on conflict do nothing"], Object.values(row));
}

/** The store takes the name and the position of another, so that cursors into that one's feed go on here. */
export const becomeStore = (storeId: string, head: number): Statement => sql`
  update latchkey_feed set store_id = ${storeId}, head = ${head}`;

/** The key ring has changed by other means. */
export const touchKeyRing = (): Statement => waking`update latchkey_key_ring set version = version + 1`;

// Users from elsewhere -------------------------------------------------------------------------------------------------

export interface ImportedUser extends Omit<NewUser, "now" | "email" | "emailKey"> {
  readonly id: number;
  readonly email: string | null;
  readonly emailKey: string | null;
  readonly staffAt: number | null;
  readonly superuserAt: number | null;
  readonly deactivatedAt: number | null;
  readonly createdAt: number;
  readonly lastLoginAt: number | null;
}

/** Returns the ids of those whose id, username and email were free. One statement for many, because on PostgreSQL a statement each took more than four times as long. */
export function importUsers(users: readonly ImportedUser[]): Statement {
  const values = users.map((user) => [
    user.id,
    user.username,
    user.usernameKey,
    user.email,
    user.emailKey,
    user.password,
    user.firstName,
    user.lastName,
    user.staffAt,
    user.superuserAt,
    user.deactivatedAt,
    user.createdAt,
    user.lastLoginAt,
  ]);
  const start = `insert into latchkey_users (id, username, username_key, email, email_key, password, first_name, last_name,
    staff_at, superuser_at, deactivated_at, created_at, last_login_at) values (`;
  const between = values.flatMap((row) => row.map((_, i) => (i === row.length - 1 ? "), (" : ", "))).slice(0, -1);
  return assembled([start, ...between, ") on conflict do nothing returning id"], values.flat());
}

/** Who is in the way of an imported user. */
export const usersInTheWay = (id: number, usernameKey: string): Statement => sql`
  select id, username_key from latchkey_users where id = ${id} or username_key = ${usernameKey}`;

export const importedSoFar = (source: string): Statement => sql`
  select after_id, counts from latchkey_imports where source = ${source}`;

export const noteImported = (source: string, afterId: number, counts: string): Statement => sql`
  insert into latchkey_imports (source, after_id, counts) values (${source}, ${afterId}, ${counts})
  on conflict (source) do update set after_id = excluded.after_id, counts = excluded.counts`;

/** An empty store may have made keys of its own, which the other's take the place of. */
export const dropKeys = (): Statement => sql`delete from latchkey_keys`;

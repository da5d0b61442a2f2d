/**
 * Users: registered, found, authenticated, taken out of service.
 * An unknown user costs a real hash and fails with the same words as a wrong password, so nobody learns who exists.
 */
import { AuthError, type FieldError } from "../errors.ts";
import { type NewUser, samplePasswords } from "../storage/queries.ts";
import type { Row, Statement, Storage } from "../storage/storage.ts";
import { ownUsers, type UserStatements } from "../storage/user-statements.ts";
import type { System } from "../system.ts";
import type { GatePass } from "./gate.ts";
import { emailProblem, personNameProblem, textProblem, toKey, toUsername, usernameProblem } from "./names.ts";
import type { PasswordHasher } from "./password-hash.ts";
import { passwordProblem, passwordShapeProblem } from "./password-rules.ts";
import { type ListOptions, pageOfUsers } from "./user-search.ts";

export type { ListOptions };

/** A user, without the password hash. Instants are seconds since 1970. */
export interface User {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly isStaff: boolean;
  readonly isSuperuser: boolean;
  readonly isActive: boolean;
  readonly createdAt: number;
}

export interface Registration {
  /** 1–150 letters, digits and `._+-`; compared without regard to case. */
  readonly username: string;
  /** At most 254 characters; compared without regard to case. */
  readonly email: string;
  /** At least 8 characters, at most 1,024 bytes, not among the most common. */
  readonly password: string;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

/** One of the two, never both. */
export type Login =
  | { readonly username: string; readonly email?: undefined; readonly password: string }
  | { readonly email: string; readonly username?: undefined; readonly password: string };

export interface AuthenticateUserOptions {
  /** Takes the name as it was registered only, in its very case. Default false. */
  readonly isExact?: boolean;
  /**
   * Asked before the password is looked at, with what the name is counted by, whether or not somebody has it. Rejects to refuse.
   * @returns where to wait for a turn.
   */
  readonly admit?: (name: string, userId: number | undefined) => Promise<GatePass>;
}

/** A user whose password was right, with what a session has to remember of that moment. */
export interface Authenticated {
  readonly user: User;
  readonly epoch: number;
  /** What to commit together with the new session. */
  readonly alongside: readonly Statement[];
}

/** Whom to find: one of the three. */
export type UserName =
  | { readonly id: number }
  | { readonly username: string; readonly email?: undefined }
  | { readonly email: string; readonly username?: undefined };

export interface UserPage {
  /** By id; of a search, by what was found. May be fewer than the limit while there is a `next`. */
  readonly users: readonly User[];
  /** Where the next page begins, opaque; `undefined` when this is the last. */
  readonly next: string | undefined;
}

export interface UsersOptions {
  readonly storage: Storage;
  readonly system: System;
  readonly hasher: PasswordHasher;
  /** Default: those of a table of ours. */
  readonly statements?: UserStatements | undefined;
  /** Says what is wrong with a new password beyond the rules, such as a breach; `undefined` when nothing is. */
  readonly checkPassword?: ((password: string) => Promise<string | undefined>) | undefined;
}

export type Users = ReturnType<typeof createUsers>;

export function createUsers({ storage, system, hasher, checkPassword, statements = ownUsers }: UsersOptions) {
  /**
   * Creates a user.
   * @throws AuthError `input_invalid` naming each field, `username_taken`, `email_taken`, `busy`.
   */
  async function register(registration: Registration): Promise<User> {
    const user = await prepare(registration);
    const row = (await storage.write([statements.insert(user)]))?.[0]?.[0];
    if (row) return toUser(row);
    throw await takenMeanwhile(user);
  }

  /** Judges a registration and makes of it what is to be stored. @throws AuthError as `register`. */
  async function prepare(registration: Registration): Promise<NewUser> {
    const { username, email, password, firstName = "", lastName = "" } = registration;
    const problems: Record<string, string | undefined> = {
      username: usernameProblem(username),
      email: emailProblem(email),
      password: (await passwordProblem(password, { username, email })) ?? (await checkPassword?.(password)),
      first_name: personNameProblem(firstName),
      last_name: personNameProblem(lastName),
    };
    throwProblems(problems);
    const usernameKey = toKey(username);
    const emailKey = toKey(email);
    // Asked first for the sake of the machine: a taken name should not cost a hash. The index decides.
    const names = { username: toUsername(username), usernameKey, emailKey };
    await throwIfTaken(names);
    const hash = await hasher.hash(password);
    return { ...names, email: email.normalize("NFC"), password: hash, firstName, lastName, now: system.now() };
  }

  /** Why a user could not be stored whose names were free a moment ago. */
  async function takenMeanwhile(user: NewUser): Promise<AuthError> {
    await throwIfTaken(user);
    // Taken a moment ago and free again: as good as taken.
    return new AuthError("username_taken", { reason: "taken at the same moment" });
  }

  async function throwIfTaken(names: Parameters<UserStatements["taking"]>[0]): Promise<void> {
    const rows = await storage.read(statements.taking(names));
    if (rows.some((row) => row.username_key === names.usernameKey)) throw new AuthError("username_taken");
    if (rows.length > 0) throw new AuthError("email_taken");
  }

  /**
   * Checks a password.
   * @throws AuthError `invalid_credentials`, one and the same for a wrong name, a wrong password and an inactive user;
   *   `input_invalid` when the password could not have been set; `busy`.
   */
  async function authenticate(
    login: Login,
    { isExact = false, admit }: AuthenticateUserOptions = {},
  ): Promise<Authenticated> {
    const { username, email, password } = login;
    throwProblems({ ...loginNameProblem(login), password: passwordShapeProblem(password) });
    const name = (username ?? email) as string;
    // Lone surrogates are nobody's name, and not every store takes them.
    const key = toKey(name.toWellFormed());
    const canExist = name.isWellFormed() && !key.includes("\0");
    const query = () =>
      username === undefined
        ? statements.byEmail(key, isExact ? name : undefined)
        : statements.byUsername(username, key);
    const rows = canExist ? await storage.read(query()) : [];
    const column = username === undefined ? "email" : "username";
    const found = isExact ? rows.filter((one) => one[column] === name) : rows;
    const row = found.length === 1 ? found[0] : undefined;
    // By the name and never by the user: whether two names share a count would tell whether somebody has them.
    const counted = statements.countedBy({ column, text: name.toWellFormed(), key, isExact });
    const pass = await admit?.(`${column} ${counted}`, row?.id as number | undefined);
    if (!row) {
      await hasher.verifyNobody(password, pass);
      throw new AuthError("invalid_credentials", {
        reason: found.length > 1 ? "several users share that name" : "no such user",
      });
    }
    const stored = row.password as string;
    if (!(await hasher.verify(password, stored, pass)))
      throw new AuthError("invalid_credentials", { reason: "wrong password" });
    const user = toUser(row);
    if (!user.isActive) throw new AuthError("invalid_credentials", { reason: "the user is inactive" });
    const rehashed = hasher.wantsRehash(stored) ? await rehash(password) : undefined;
    const alongside = statements.login({ id: user.id, verified: stored, rehashed, now: system.now() });
    return { user, epoch: row.epoch as number, alongside };
  }

  /** A new hash of a password that was right; `undefined` when there are too many to make: there will be another sign-in. */
  async function rehash(password: string): Promise<string | undefined> {
    try {
      return await hasher.hash(password);
    } catch (error) {
      if (error instanceof AuthError && error.code === "busy") return undefined;
      throw error;
    }
  }

  /** The user with this id, active or not; `undefined` when there is none. */
  async function byId(id: number): Promise<User | undefined> {
    const row = (await storage.read(statements.byId(id)))[0];
    return row && toUser(row);
  }

  /** The user of that name, active or not; `undefined` when there is none, or when several share an email. */
  async function find(name: UserName): Promise<User | undefined> {
    if ("id" in name) return byId(name.id);
    const key = toKey((name.username ?? name.email).toWellFormed());
    if (key.includes("\0")) return undefined;
    const query = name.username === undefined ? statements.byEmail(key) : statements.byUsername(name.username, key);
    const rows = await storage.read(query);
    return rows.length === 1 ? toUser(rows[0] as Row) : undefined;
  }

  /** A page of users. @throws AuthError `input_invalid` for a limit, a search or a cursor that can't be. */
  async function list(options: ListOptions = {}): Promise<UserPage> {
    const { rows, next } = await pageOfUsers(storage, statements, options);
    return { users: rows.map(toUser), next };
  }

  /**
   * Judges a password that someone other than its owner sets, and prepares it.
   * @throws AuthError `input_invalid`, `user_not_found`, `busy`.
   */
  async function passwordReset(id: number, next: string): Promise<Statement[]> {
    const user = await byId(id);
    if (!user) throw new AuthError("user_not_found");
    throwProblems({ password: (await passwordProblem(next, user)) ?? (await checkPassword?.(next)) });
    return statements.setPassword(id, await hasher.hash(next));
  }

  /** The stored password hash of a user in service; for claims that follow from it, and never for the wire. */
  async function passwordHashOf(id: number): Promise<string | undefined> {
    const row = (await storage.read(statements.byId(id)))[0];
    return row && row.deactivated_at === null ? (row.password as string) : undefined;
  }

  /** Learns in what formats the hashes are, so that the first failed login already tells nothing by its time. */
  async function meetHashes(): Promise<void> {
    for (const { password } of await storage.read(samplePasswords())) hasher.meet(password as string);
  }

  /** The epoch that a new session of this user has to remember; `undefined` when the user is inactive or gone. */
  async function epochOf(id: number): Promise<number | undefined> {
    if (statements.settle) await storage.write([statements.settle(id)]);
    const row = (await storage.read(statements.byId(id)))[0];
    return row && row.deactivated_at === null ? (row.epoch as number) : undefined;
  }

  /**
   * Judges a change of password and prepares it.
   * @returns the guarded statements that set it, bump the user's epoch and fail when the password has changed meanwhile.
   * @throws AuthError `wrong_password`, `input_invalid`, `user_not_found`, `busy`.
   */
  async function passwordChange(id: number, current: string, next: string): Promise<Statement[]> {
    throwProblems({ current_password: passwordShapeProblem(current) });
    const row = (await storage.read(statements.byId(id)))[0];
    if (!row || row.deactivated_at !== null) throw new AuthError("user_not_found");
    const stored = row.password as string;
    // The current password comes first: a stolen access token must not learn the rules' verdict on guesses.
    if (!(await hasher.verify(current, stored))) throw new AuthError("wrong_password");
    const context = { username: row.username as string, email: (row.email as string | null) ?? "" };
    throwProblems({ new_password: (await passwordProblem(next, context)) ?? (await checkPassword?.(next)) });
    return statements.changePassword(id, stored, await hasher.hash(next));
  }

  return {
    register,
    prepare,
    authenticate,
    byId,
    find,
    list,
    epochOf,
    passwordHashOf,
    meetHashes,
    passwordChange,
    passwordReset,
  };
}

/** Says what is wrong with the name in a login, by the field: a name that nobody can have is none of it. */
function loginNameProblem({ username, email }: Login): Record<string, string | undefined> {
  if (username !== undefined && email !== undefined) return { username: "must not come beside an email" };
  const [field, name] = email === undefined ? ["username", username] : ["email", email];
  return typeof name === "string" ? {} : { [field]: textProblem(name) };
}

function throwProblems(problems: Readonly<Record<string, string | undefined>>): void {
  const errors: FieldError[] = [];
  for (const [field, message] of Object.entries(problems)) if (message) errors.push({ field, message });
  if (errors.length > 0) {
    throw new AuthError("input_invalid", { reason: errors.map((e) => `${e.field} ${e.message}`).join("; "), errors });
  }
}

export function toUser(row: Row): User {
  return {
    id: row.id as number,
    username: row.username as string,
    email: (row.email as string | null) ?? "",
    firstName: row.first_name as string,
    lastName: row.last_name as string,
    isStaff: row.staff_at !== null,
    isSuperuser: row.superuser_at !== null,
    isActive: row.deactivated_at === null,
    createdAt: row.created_at as number,
  };
}

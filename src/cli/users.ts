/** `latchkey users …`: what staff do to accounts, without a server. */
import { Command, InvalidArgumentError } from "commander";
import type { User } from "../auth.ts";
import { longestAccessLifeOf } from "../server/engine.ts";
import { toColumns } from "../storage/users-in-place.ts";
import { usersTrigger } from "../storage/users-trigger.ts";
import { confirm, readPassword } from "./input.ts";
import { findUser, readSettings, type StoreOptions, storeCommand, withEngine } from "./open-engine.ts";
import { print, printFacts, printJson, printTable, toDate } from "./output.ts";

const USER = "a username, an email address, or id: and a number";

export const usersCommand = () =>
  new Command("users")
    .description("add, list, show, disable, enable and delete users, set passwords and roles")
    .addCommand(
      storeCommand("add")
        .description("register a user; the password is asked for, or the first line of standard input")
        .argument("<username>")
        .requiredOption("--email <address>", "email address")
        .option("--first-name <name>", "given name")
        .option("--last-name <name>", "family name")
        .option("--staff", "may see and manage other users")
        .option("--superuser", "may do everything")
        .action(add),
    )
    .addCommand(
      storeCommand("list")
        .description("list users, by id")
        .option("--search <text>", "those whose username or email begins with it")
        .option("--limit <count>", "how many at most", readLimit, 50)
        .option("--after <cursor>", "the page that begins where another said that it ends")
        .action(list),
    )
    .addCommand(
      storeCommand("show").description("show a user and their sessions").argument("<user>", USER).action(show),
    )
    .addCommand(
      storeCommand("disable")
        .description("take a user out of service: every session ends, no sign-in")
        .argument("<user>", USER)
        .action(disable),
    )
    .addCommand(storeCommand("enable").description("undo disable").argument("<user>", USER).action(enable))
    .addCommand(
      storeCommand("password")
        .description("set a password (asked for, or the first line of standard input) and end every session")
        .argument("<user>", USER)
        .action(setPassword),
    )
    .addCommand(
      storeCommand("role")
        .description("make a user staff or superuser, or no longer")
        .argument("<user>", USER)
        .option("--staff", "make staff")
        .option("--no-staff", "no longer staff")
        .option("--superuser", "make superuser")
        .option("--no-superuser", "no longer superuser")
        .action(setRoles),
    )
    .addCommand(
      storeCommand("trigger")
        .description("print the SQL that makes Django's changes to LATCHKEY_USERS_TABLE reach the feed (PostgreSQL)")
        .action(printTrigger),
    )
    .addCommand(
      storeCommand("delete")
        .description("delete a user and end every session")
        .argument("<user>", USER)
        .option("--yes", "do not ask")
        .action(remove),
    );

interface AddOptions extends StoreOptions {
  readonly email: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly staff?: true;
  readonly superuser?: true;
}

/** Asks no store: the SQL follows from the settings. */
function printTrigger(options: StoreOptions): void {
  const config = readSettings(options);
  if (config.usersTable === undefined)
    throw new Error("LATCHKEY_USERS_TABLE is not set: there is no table of Django's.");
  const longestAccessLife = longestAccessLifeOf(config);
  process.stdout.write(
    usersTrigger({ table: config.usersTable, columns: toColumns(config.usersColumns), longestAccessLife }),
  );
}

async function add(username: string, options: AddOptions): Promise<void> {
  const { email, firstName, lastName, staff = false, superuser = false } = options;
  const password = await readPassword("Password");
  await withEngine(options, async (auth) => {
    let user = await auth.register({ username, email, password, firstName, lastName });
    if (staff || superuser) user = await auth.users.setRoles(user.id, { isStaff: staff, isSuperuser: superuser });
    if (options.json) printJson(user);
    else print(`User ${user.username} has id ${user.id}.`);
  });
}

interface ListOptions extends StoreOptions {
  readonly search?: string;
  readonly limit: number;
  readonly after?: string;
}

function list({ search, limit, after, ...options }: ListOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const { users, next } = await auth.users.list({ search, limit, after });
    if (options.json) return printJson({ users, next });
    const rows = users.map((user) => [
      user.id,
      user.username,
      user.email,
      user.isActive ? "active" : "disabled",
      rolesOf(user),
      toDate(user.createdAt),
    ]);
    printTable(["ID", "USERNAME", "EMAIL", "STATE", "ROLES", "CREATED (UTC)"], rows, "There are no such users.");
    if (next !== undefined) print(`There are more: --after ${next}`);
  });
}

function show(name: string, options: StoreOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const user = await findUser(auth, name);
    const sessions = await auth.sessions.list(user.id);
    if (options.json) return printJson({ ...user, sessions });
    printFacts({
      id: user.id,
      username: user.username,
      email: user.email,
      name: `${user.firstName} ${user.lastName}`.trim(),
      active: user.isActive,
      roles: rolesOf(user),
      created: `${toDate(user.createdAt)} UTC`,
      sessions: sessions.length,
    });
  });
}

function disable(name: string, options: StoreOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const user = await findUser(auth, name);
    const isChanged = await auth.users.deactivate(user.id);
    if (options.json) return printJson({ ...user, isActive: false });
    print(
      isChanged
        ? `User ${user.username} is disabled, and every session has ended.`
        : `User ${user.username} was disabled already.`,
    );
  });
}

function enable(name: string, options: StoreOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const user = await findUser(auth, name);
    const isChanged = await auth.users.reactivate(user.id);
    if (options.json) return printJson({ ...user, isActive: true });
    print(isChanged ? `User ${user.username} may sign in again.` : `User ${user.username} was enabled already.`);
  });
}

async function setPassword(name: string, options: StoreOptions): Promise<void> {
  const password = await readPassword("New password");
  await withEngine(options, async (auth) => {
    const user = await findUser(auth, name);
    await auth.users.setPassword(user.id, password);
    if (options.json) return printJson(user);
    print(`User ${user.username} has a new password, and every session has ended.`);
  });
}

interface RoleOptions extends StoreOptions {
  readonly staff?: boolean;
  readonly superuser?: boolean;
}

function setRoles(name: string, { staff, superuser, ...options }: RoleOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const { id } = await findUser(auth, name);
    const user = await auth.users.setRoles(id, {
      ...(staff !== undefined && { isStaff: staff }),
      ...(superuser !== undefined && { isSuperuser: superuser }),
    });
    if (options.json) return printJson(user);
    print(`User ${user.username}: ${rolesOf(user) || "no roles"}.`);
  });
}

function remove(name: string, options: StoreOptions & { readonly yes?: true }): Promise<void> {
  return withEngine(options, async (auth) => {
    const user = await findUser(auth, name);
    await confirm(`User ${user.username} (id ${user.id}) will be deleted for good.`, options);
    await auth.users.delete(user.id);
    if (options.json) return printJson(user);
    print(`User ${user.username} is deleted.`);
  });
}

const rolesOf = ({ isStaff, isSuperuser }: User) =>
  [isStaff && "staff", isSuperuser && "superuser"].filter(Boolean).join(", ");

function readLimit(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1000) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1 to 1000.");
}

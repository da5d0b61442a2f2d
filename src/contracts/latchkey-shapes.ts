/** What requests and answers of the default dialect are made of. */
import * as z from "zod";
import type { Auth } from "../auth.ts";
import type { Session } from "../sessions/sessions.ts";
import { EMAIL_LENGTH, PERSON_NAME_LENGTH, USERNAME_LENGTH } from "../users/names.ts";
import { PASSWORD_MAX_BYTES, PASSWORD_MIN_LENGTH } from "../users/password-rules.ts";
import type { User } from "../users/users.ts";

export interface TextOptions {
  readonly min?: number;
  readonly max: number;
  /** For the document. */
  readonly example?: string;
}

/** For the document: what a field may hold. */
export const like = <Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): Schema =>
  schema.meta({ ...schema.meta(), examples: [example] });

/** A text field; what is wrong with one is said in words that follow the field's name. */
export const text = (description: string, { min = 1, max, example }: TextOptions) =>
  z
    .string({ error: ({ input }) => (input === undefined ? "is required" : "must be a text") })
    .min(min, { error: "must not be empty", abort: true })
    .max(max, { error: `must have at most ${max} characters` })
    .meta({ description, ...(example !== undefined && { examples: [example] }) });

export const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object(shape, { error: "the body must be a JSON object" });

const EXAMPLE_PASSWORD = "correct horse battery staple";

/** A password has a limit in bytes; more characters than that can't be right whatever they are. */
export const password = (description: string) =>
  text(description, { max: PASSWORD_MAX_BYTES, example: EXAMPLE_PASSWORD });

/** A text field that the engine judges: a schema that refused one field would hide what the rules say of the others. */
const judged = (description: string, { min = 1, max, example }: TextOptions) =>
  z.unknown().meta({
    type: "string",
    minLength: min,
    maxLength: max,
    description,
    ...(example !== undefined && { examples: [example] }),
  });

/** For the document: the engine says what is missing, so the schema does not. */
export const REQUIRED_TO_REGISTER = ["email", "username", "password"];

export const Registration = object({
  email: judged("An email address; compared without regard to case.", {
    max: EMAIL_LENGTH,
    example: "ada@example.com",
  }).optional(),
  username: judged("Letters, digits and . _ + - only; compared without regard to case.", {
    max: USERNAME_LENGTH * 2,
    example: "ada",
  }).optional(),
  password: judged(
    `At least ${PASSWORD_MIN_LENGTH} characters, at most ${PASSWORD_MAX_BYTES} bytes, not a common one.`,
    { max: PASSWORD_MAX_BYTES, example: EXAMPLE_PASSWORD },
  ).optional(),
  first_name: judged("Given name.", { min: 0, max: PERSON_NAME_LENGTH * 2 }).nullish(),
  last_name: judged("Family name.", { min: 0, max: PERSON_NAME_LENGTH * 2 }).nullish(),
}).meta({ required: REQUIRED_TO_REGISTER });

/** What the engine is told of it; it takes nothing for a text that it has not looked at. */
export const toRegistration = ({ email, username, password, first_name, last_name }: z.output<typeof Registration>) =>
  ({
    email,
    username,
    password,
    firstName: first_name ?? undefined,
    lastName: last_name ?? undefined,
  }) as Parameters<Auth["register"]>[0];

/** A parameter of a query, when it is there. */
export const parameter = (description: string, { max }: { readonly max: number }) =>
  z
    .string({ error: "must come once" })
    .max(max, { error: `must have at most ${max} characters` })
    .describe(description)
    .optional();

/** A whole number in a query, when it is there. */
export const wholeNumber = (description: string, { min, max }: { readonly min: number; readonly max: number }) =>
  z
    .string({ error: "must come once" })
    .regex(/^(?:0|[1-9]\d{0,8})$/, { error: `must be a whole number from ${min} to ${max}` })
    .transform(Number)
    .pipe(
      z
        .int()
        .min(min, { error: `must be a whole number from ${min} to ${max}` })
        .max(max, { error: `must be a whole number from ${min} to ${max}` }),
    )
    .describe(description)
    .optional();

export const UserAnswer = z
  .object({
    id: like(z.int(), 1),
    username: like(z.string(), "ada"),
    email: like(z.string(), "ada@example.com"),
    first_name: like(z.string(), "Ada"),
    last_name: like(z.string(), ""),
    is_staff: z.boolean(),
    is_superuser: z.boolean(),
    is_active: like(z.boolean(), true),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "User" });

const SessionAnswer = z
  .object({
    id: like(z.string(), "1"),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    ip: like(z.string(), "198.51.100.7").nullable(),
    user_agent: like(z.string(), "curl/8.5").nullable(),
    current: z.boolean().describe("True for the session that asks."),
  })
  .meta({ id: "Session" });

export const SessionsAnswer = z.object({ sessions: z.array(SessionAnswer) }).meta({ id: "Sessions" });

/** Seconds since 1970 → RFC 3339. */
export const toInstant = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

export const fromUser = (user: User): z.output<typeof UserAnswer> => ({
  id: user.id,
  username: user.username,
  email: user.email,
  first_name: user.firstName,
  last_name: user.lastName,
  is_staff: user.isStaff,
  is_superuser: user.isSuperuser,
  is_active: user.isActive,
  created_at: toInstant(user.createdAt),
});

export const fromSession = (session: Session, current: string | undefined) => ({
  id: session.id,
  created_at: toInstant(session.createdAt),
  last_used_at: toInstant(session.lastUsedAt),
  expires_at: toInstant(session.expiresAt),
  ip: session.ip ?? null,
  user_agent: session.userAgent ?? null,
  current: session.id === current,
});

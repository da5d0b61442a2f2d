/** The application's own claims: checked and typed by the caller's schema, after everything else about the token was found good. */
import type { AuthError } from "../errors.ts";
import { isPromise } from "../promise.ts";
import { type Claims, REGISTERED_NAMES, withoutPrototype } from "./claims.ts";
import { quote, tokenError } from "./refusal.ts";
import type { SchemaIssue, SchemaResult, StandardSchema } from "./standard-schema.ts";

/** Claims whose application part has been through a schema. */
export type Verified<Application> = Claims & Application;

/** Applies a schema that answers at once. One that answers with a promise can't be waited for here, and refuses every token. */
export function applySchema<Application>(
  schema: StandardSchema<Application>,
  claims: Claims,
): Verified<Application> | AuthError {
  try {
    const result = schema["~standard"].validate({ ...claims });
    if (isPromise(result)) {
      // Nobody will look at it, and a rejection that nobody looks at ends the process.
      result.catch(() => undefined);
      return tokenError("the schema of the claims is asynchronous, and this verifier is not");
    }
    return merge(claims, result);
  } catch {
    return tokenError("the schema of the claims threw an exception");
  }
}

/** Applies a schema that may answer with a promise. */
export async function applySchemaAsync<Application>(
  schema: StandardSchema<Application>,
  claims: Claims,
): Promise<Verified<Application> | AuthError> {
  try {
    return merge(claims, await schema["~standard"].validate({ ...claims }));
  } catch {
    return tokenError("the schema of the claims threw an exception");
  }
}

/** What the schema made of the claims goes over them, but for the registered ones: these were verified as they stand. */
function merge<Application>(claims: Claims, result: SchemaResult<Application>): Verified<Application> | AuthError {
  if (result.issues) return tokenError(`the claims do not fit the schema: ${issueText(result.issues[0])}`);
  const { value } = result;
  if (typeof value !== "object" || value === null) return tokenError("the schema of the claims did not give an object");
  const merged = withoutPrototype(claims);
  for (const [name, member] of Object.entries(value)) {
    if (!REGISTERED_NAMES.has(name) && name !== "__proto__") merged[name] = member;
  }
  return merged as Verified<Application>;
}

/** Where the first issue is, not its message: validators quote what they refuse, and claims may be nobody else's business. */
function issueText(issue: SchemaIssue | undefined): string {
  const path = (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return path.length === 0 ? "as a whole" : `at ${quote(path.join("."))}`;
}

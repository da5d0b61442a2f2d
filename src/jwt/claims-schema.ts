/**
 * One schema for the application's claims at both ends: what an issuer writes is held to it, and what is read back. It is shown the application's
 * claims and no others, so a strict one may be strict.
 */
import { isPromise } from "../promise.ts";
import { REGISTERED_NAMES } from "./claims.ts";
import type { SchemaResult, StandardSchema } from "./standard-schema.ts";

/** True for a schema, which some libraries make a function. */
export function isSchema(value: unknown): value is StandardSchema<unknown> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as Partial<StandardSchema<unknown>>)["~standard"]?.validate === "function"
  );
}

/**
 * The same schema, for claims with others among them.
 * @param names of claims that are the issuer's, beside the registered ones: the schema neither sees nor sets them.
 */
export function ofApplication(schema: StandardSchema<unknown>, names: readonly string[]): StandardSchema<object> {
  const { vendor, validate } = schema["~standard"];
  const isOurs = (name: string) => REGISTERED_NAMES.has(name) || names.includes(name);
  const only = (claims: object) => Object.fromEntries(Object.entries(claims).filter(([name]) => !isOurs(name)));
  return {
    "~standard": {
      version: 1,
      vendor,
      validate(claims) {
        const result = validate(only(claims as object));
        if (isPromise(result) || result.issues) return result as SchemaResult<object>;
        const { value } = result;
        return { value: typeof value === "object" && value !== null ? only(value) : (value as object) };
      },
    },
  };
}

/**
 * Checks what an application is about to have signed, in the form in which it will be read.
 * @throws TypeError saying where it does not fit: nobody could use such a token.
 */
export function refuseMisfit(schema: StandardSchema<unknown>, claims: object): void {
  const result = schema["~standard"].validate(JSON.parse(JSON.stringify(claims)));
  if (isPromise(result)) {
    result.catch(() => undefined);
    throw new TypeError("the schema of the claims is asynchronous: tokens are judged at once, so it has to be, too");
  }
  const [issue] = result.issues ?? [];
  if (result.issues === undefined) return;
  const path = (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  throw new TypeError(
    `claimsOf gave claims that do not fit the schema${path && `, at "${path}"`}: ${issue?.message ?? "no reason given"}`,
  );
}

/**
 * What routes need of a schema. Those of zod are such, and zod is within dist/: the published types do not name it, so that
 * nobody has to install it for them.
 */
export interface Schema<T = unknown> {
  safeParse(
    input: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };
}

export interface SchemaIssue {
  /** What kind of fault it is, as zod calls it. */
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  /** Worded to follow the name of the field. */
  readonly message: string;
}

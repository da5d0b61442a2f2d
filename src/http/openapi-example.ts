/** An example of what a schema describes, made of the examples of its fields. */

/** As much of JSON Schema as ours have. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly id?: unknown;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly description?: string;
}

const NAMED = "#/components/schemas/";

/**
 * @param components what `$ref` leads to.
 * @returns `undefined` for what nothing is known of. Fields that are not required appear only where they have an example.
 */
export function exampleOf(schema: JsonSchema, components: Readonly<Record<string, JsonSchema>>): unknown {
  if (schema.$ref !== undefined) return exampleOf(components[schema.$ref.slice(NAMED.length)] ?? {}, components);
  if (schema.examples !== undefined) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf !== undefined) return exampleOf(schema.anyOf[0] ?? {}, components);
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([name, one]) => schema.required?.includes(name) || hasExample(one))
          .map(([name, one]) => [name, exampleOf(one, components)]),
      );
    case "array":
      return schema.items ? [exampleOf(schema.items, components)] : [];
    case "integer":
    case "number":
      return schema.minimum ?? 0;
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return schema.format === "date-time" ? "2026-11-23T10:00:00Z" : "";
  }
}

const hasExample = ({ examples, anyOf = [] }: JsonSchema): boolean => examples !== undefined || anyOf.some(hasExample);

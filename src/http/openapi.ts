/**
 * The OpenAPI 3.1 document of whatever dialects are mounted, made of the rows that answer and of the schemas that validate: what a row does not say,
 * no answer may do, and the tests hold every answer to it.
 */
import { STATUS_CODES } from "node:http";
import * as z from "zod";
import { type AuthErrorCode, refusals as REFUSALS } from "../errors.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "./cookies.ts";
import { exampleOf, type JsonSchema } from "./openapi-example.ts";
import { ANSWER_HEADERS } from "./problem.ts";
import type { Contract, DocumentedAnswer, Route } from "./route.ts";
import type { Schema } from "./schema.ts";

export interface OpenapiOptions {
  readonly contracts: readonly Contract[];
  /** What stands before every path. Default: nothing. */
  readonly base?: string;
  /** Whether clients may ask for cookies. Default true. */
  readonly cookies?: boolean;
}

export interface OpenapiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, object>>;
    readonly headers: Readonly<Record<string, HeaderObject>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
  /** Names of headers that any answer has or may have. */
  readonly "x-every-answer": readonly string[];
  /** What is answered where no operation is: an unknown path, a wrong method, a request that can't be read. */
  readonly "x-otherwise": Readonly<Record<string, ResponseObject>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface MediaType {
  readonly schema?: JsonSchema;
  readonly example?: unknown;
}

export interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly $ref: string }>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

interface HeaderObject {
  readonly description: string;
  readonly schema: JsonSchema;
}

const DESCRIPTION =
  "Paths answer with and without a trailing slash. Bodies are JSON in UTF-8, at most 64 KiB. Errors are RFC 9457 problem details: compare `code`; `detail` is for people.";

const HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "Who may keep the answer, and for how long; `no-store` unless the row says otherwise.",
  "X-Content-Type-Options": "`nosniff`",
  "Content-Security-Policy": "What a browser may load on behalf of the answer: nothing.",
  "Referrer-Policy": "`no-referrer`",
  "Cross-Origin-Resource-Policy": "`same-origin`: no page of another site embeds the answer.",
  Vary: "`Origin`, where some origins are allowed (CORS).",
  "Access-Control-Allow-Origin": "The origin that asked, where it is an allowed one (CORS).",
  "Access-Control-Allow-Credentials": "`true`, where the origin that asks is an allowed one.",
  "Access-Control-Expose-Headers": "Headers that scripts of an allowed origin may read.",
  "Access-Control-Allow-Methods": "In the answer to a preflight.",
  "Access-Control-Allow-Headers": "In the answer to a preflight.",
  "Access-Control-Max-Age": "In the answer to a preflight: seconds for which it holds.",
  "WWW-Authenticate": "The challenge (RFC 6750), with an `error` where a bearer token was judged.",
  "Retry-After": "Seconds after which another try makes sense.",
  Allow: "The methods that the path takes.",
  ETag: "Names this very content; send it as If-None-Match.",
  "Set-Cookie": "The tokens, where the client asked for cookies, or their removal.",
};

const EVERY_ANSWER = [
  ...Object.keys(HEADERS).filter((name) => name.toLowerCase() in ANSWER_HEADERS),
  "Vary",
  ...Object.keys(HEADERS).filter((name) => name.startsWith("Access-Control-")),
];

const JSON_TYPE = "application/json";
const PROBLEM_TYPE = "application/problem+json";

const Problem = z
  .object({
    type: z.literal("about:blank"),
    title: z.string().describe("The status in words."),
    status: z.int().min(400).max(599),
    detail: z.string().describe("For people."),
    code: z.string().describe("For programs."),
    errors: z
      .array(
        z.object({
          field: z.string().describe("As the client wrote it; empty for the input as a whole."),
          message: z.string().describe("What is wrong, worded to follow the field's name."),
        }),
      )
      .optional()
      .describe("One for each field that is wrong."),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details." });

/** What the parts of a row may refuse with. */
const BROUGHT = {
  any: ["store_unavailable"],
  bearer: [
    "request_invalid",
    "credentials_repeated",
    "credentials_missing",
    "token_expired",
    "token_invalid",
    "token_subject_missing",
    "user_not_found",
    "session_ended",
  ],
  cookie: ["origin_refused", "request_invalid"],
  staff: ["insufficient_scope"],
  service: ["credentials_repeated", "credentials_missing", "token_invalid"],
  body: [
    "json_invalid",
    "request_invalid",
    "body_too_large",
    "media_type_unsupported",
    "input_invalid",
    "rate_limited",
  ],
  query: ["input_invalid"],
} as const satisfies Record<string, readonly AuthErrorCode[]>;

/** Makes the document. The order of everything follows the rows, so that it only changes where they do. */
export function createOpenapi({ contracts, base = "", cookies = true }: OpenapiOptions): OpenapiDocument {
  const schemas: Record<string, JsonSchema> = {};
  const convert = (schema: Schema, io: "input" | "output") => toJsonSchema(schema, io, schemas);
  const problemSchema = convert(Problem as Schema, "output");

  function problem(status: number, codes: readonly AuthErrorCode[]): ResponseObject {
    const [first] = codes as readonly [AuthErrorCode];
    const schema = { allOf: [problemSchema, { properties: { status: { const: status }, code: { enum: codes } } }] };
    const { detail } = REFUSALS[first];
    const errors = first === "input_invalid" ? { errors: [{ field: "name", message: "what is wrong with it" }] } : {};
    return {
      description: codes.map((code) => `\`${code}\``).join(", "),
      ...headersOf([
        ...(status === 401 || codes.some(hasChallenge) ? ["WWW-Authenticate"] : []),
        ...(status === 429 || status === 503 ? ["Retry-After"] : []),
      ]),
      content: {
        [PROBLEM_TYPE]: {
          schema,
          example: { type: "about:blank", title: STATUS_CODES[status], status, detail, code: first, ...errors },
        },
      },
    };
  }

  function documented({ description, schema, headers = [] }: DocumentedAnswer): ResponseObject {
    return {
      description,
      ...headersOf(headers),
      ...(schema && { content: { [JSON_TYPE]: withExample(convert(schema, "output"), schemas) } }),
    };
  }

  function responsesOf(contract: Contract, route: Route): Record<string, ResponseObject> {
    const { success = route.answer || route.text ? 200 : 204, answer, text, headers = [] } = route;
    const sent = [...headers, ...(route.cookies && cookies ? ["Set-Cookie"] : [])];
    const content = answer
      ? { content: { [JSON_TYPE]: withExample(convert(answer, "output"), schemas) } }
      : text === undefined
        ? {}
        : { content: { [text]: {} } };
    const responses: Record<string, ResponseObject> = {
      [success]: {
        description: success === 204 ? "Done." : success === 201 ? "Created." : "As asked.",
        ...headersOf(sent),
        ...content,
      },
      ...(headers.includes("ETag") && { 304: { description: "Not modified.", ...headersOf(headers) } }),
    };
    const own = { ...contract.document?.answers, ...route.answers };
    for (const [status, one] of Object.entries(own)) responses[status] = documented(one);
    if (contract.document) return responses;
    for (const [status, codes] of byStatus(codesOf(route, cookies))) responses[status] = problem(status, codes);
    return responses;
  }

  const paths: Record<string, Record<string, Operation>> = {};
  const tags = new Map<string, { readonly name: string }>();
  for (const contract of contracts) {
    for (const route of contract.routes) {
      const group = route.group ?? contract.name;
      tags.set(group, { name: group });
      const path = route.path.replace(/:([^/]+)/g, "{$1}") + (contract.document?.hasTrailingSlash ? "/" : "");
      const parameters = [
        ...pathParameters(path),
        ...queryParameters(route, convert),
        ...(route.cookies && cookies ? [TRANSPORT] : []),
      ];
      paths[path] ??= {};
      paths[path][route.method.toLowerCase()] = {
        operationId: toOperationId(route),
        summary: route.summary,
        tags: [group],
        security: securityOf(route, cookies),
        ...(parameters.length > 0 && { parameters }),
        ...(route.body && {
          requestBody: { required: true, content: bodyContent(contract, convert(route.body, "input"), schemas) },
        }),
        responses: responsesOf(contract, route),
      };
    }
  }

  return {
    openapi: "3.1.1",
    info: { title: "Latchkey", version: "1", description: DESCRIPTION },
    servers: [{ url: base === "" ? "/" : base }],
    tags: [...tags.values()],
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => [name, { description, schema: { type: "string" } }]),
      ),
      schemas,
    },
    "x-every-answer": EVERY_ANSWER,
    "x-otherwise": {
      204: { description: "A preflight of an allowed origin." },
      400: problem(400, ["request_invalid", "credentials_repeated"]),
      404: problem(404, ["not_found"]),
      405: { ...problem(405, ["method_not_allowed"]), ...headersOf(["Allow"]) },
      408: problem(408, ["request_invalid"]),
      431: problem(431, ["request_invalid"]),
    },
  };
}

const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "An access token." },
  accessCookie: {
    type: "apiKey",
    in: "cookie",
    name: ACCESS_COOKIE,
    description: "An access token, where the client asked for cookies.",
  },
  refreshCookie: {
    type: "apiKey",
    in: "cookie",
    name: REFRESH_COOKIE,
    description: "A refresh token, in the place of `refresh_token`.",
  },
  service: { type: "http", scheme: "bearer", description: "A credential of LATCHKEY_FEED_TOKENS." },
} as const;

const TRANSPORT: Parameter = {
  name: "Latchkey-Transport",
  in: "header",
  required: false,
  description: "`cookie` asks for the tokens as cookies instead of in the body.",
  schema: { type: "string", enum: ["cookie", "bearer"] },
};

function securityOf({ guard, cookies: hasCookies }: Route, cookies: boolean): Operation["security"] {
  if (guard === "service") return [{ service: [] }];
  if (guard === "none") return hasCookies && cookies ? [{}, { refreshCookie: [] }] : [];
  // Of schemes without scopes these are roles (OpenAPI 3.1, Security Requirement Object).
  const roles = guard === "staff" ? ["staff"] : [];
  return [{ bearer: roles }, ...(cookies ? [{ accessCookie: roles }] : [])];
}

/** Without doubles, in the order of the table of refusals. */
function codesOf(
  { guard, method, body, query, cookies: hasCookies, refusals = [] }: Route,
  cookies: boolean,
): AuthErrorCode[] {
  const codes = new Set<AuthErrorCode>([
    ...(guard === "none" ? [] : guard === "service" ? BROUGHT.service : BROUGHT.bearer),
    ...(guard === "staff" ? BROUGHT.staff : []),
    ...(cookies && ((guard !== "service" && guard !== "none" && method !== "GET") || hasCookies) ? BROUGHT.cookie : []),
    ...(body ? BROUGHT.body : []),
    ...(query ? BROUGHT.query : []),
    ...refusals,
    ...BROUGHT.any,
  ]);
  return (Object.keys(REFUSALS) as AuthErrorCode[]).filter((code) => codes.has(code));
}

function byStatus(codes: readonly AuthErrorCode[]): [status: number, codes: AuthErrorCode[]][] {
  const grouped = new Map<number, AuthErrorCode[]>();
  for (const code of codes) {
    const { status } = REFUSALS[code];
    grouped.set(status, [...(grouped.get(status) ?? []), code]);
  }
  return [...grouped].sort(([one], [other]) => one - other);
}

const hasChallenge = (code: AuthErrorCode) => REFUSALS[code].bearer !== undefined;

function headersOf(names: readonly string[]): Pick<ResponseObject, "headers"> {
  if (names.length === 0) return {};
  return { headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])) };
}

function bodyContent(
  contract: Contract,
  schema: JsonSchema,
  schemas: Record<string, JsonSchema>,
): Record<string, MediaType> {
  const types = contract.document?.mediaTypes ?? [JSON_TYPE];
  return Object.fromEntries(types.map((type) => [type, withExample(schema, schemas)]));
}

function withExample(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>): MediaType {
  return { schema, example: exampleOf(schema, schemas) };
}

function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => ({
    name: name as string,
    in: "path",
    required: true,
    description: name === "session" ? "The id of a session." : "An id.",
    schema: { type: "string", pattern: "^[1-9][0-9]{0,15}$", examples: ["1"] },
  }));
}

function queryParameters(route: Route, convert: (schema: Schema, io: "output") => JsonSchema): Parameter[] {
  if (!route.query) return [];
  const { properties = {}, required = [] } = convert(route.query, "output");
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

/** `GET /v1/users/:id` → getV1UsersById */
function toOperationId({ method, path }: Route): string {
  const words = path
    .replace(/:([^/]+)/g, "by-$1")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "");
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** A schema of zod as JSON Schema; those with a name become components. Any other schema says nothing of itself. */
function toJsonSchema(schema: Schema, io: "input" | "output", components: Record<string, JsonSchema>): JsonSchema {
  if (!("_zod" in schema)) return {};
  const {
    $schema: _,
    $defs = {},
    ...whole
  } = z.toJSONSchema(schema as unknown as z.ZodType, {
    io,
    override: ({ jsonSchema }) => simplify(jsonSchema as Record<string, unknown>, io),
  }) as JsonSchema;
  for (const [name, one] of Object.entries($defs)) components[name] ??= withoutId(refer(one));
  const { id } = whole;
  if (typeof id !== "string") return refer(whole);
  components[id] ??= withoutId(refer(whole));
  return { $ref: `#/components/schemas/${id}` };
}

/** Leaves out what tells a reader nothing, and of answers what would make every new field a breach. */
function simplify(schema: Record<string, unknown>, io: "input" | "output"): void {
  if (schema.format === "date-time") delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (io === "output" && schema.additionalProperties === false) delete schema.additionalProperties;
}

const withoutId = ({ id: _, ...schema }: JsonSchema): JsonSchema => schema;

const refer = (schema: JsonSchema): JsonSchema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));

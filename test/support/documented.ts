/**
 * Holds answers to the OpenAPI document: every answer that a test is given goes through here, whatever the test is about. A status, a body or a
 * header that the document does not know fails the test.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Auth } from "../../src/auth.ts";
import { latchkeyContract } from "../../src/contracts/latchkey.ts";
import {
  type Connection,
  createHandler as createRealHandler,
  type Endpoints,
  type HandlerOptions,
} from "../../src/handler.ts";
import type { OpenapiDocument, Operation, ResponseObject } from "../../src/http/openapi.ts";
import { createOpenapi } from "../../src/http/openapi.ts";
import type { Contract } from "../../src/http/route.ts";
import { ROOT } from "./root.ts";

export interface Exchange {
  readonly method: string;
  /** With its query, without a prefix. */
  readonly path: string;
  readonly status: number;
  /** Names and values; names in lower case. */
  readonly headers: Iterable<readonly [name: string, value: unknown]>;
  readonly text: string;
}

export interface Documented {
  /** Whether a path is that of an operation. */
  knows(path: string): boolean;
  /** Throws an AssertionError for an answer that the document does not know. @param others headers that something in front of us adds. */
  check(exchange: Exchange, others?: readonly string[]): void;
}

/** What HTTP/1.1 itself adds. */
const FRAMING = ["content-type", "content-length", "date", "connection", "keep-alive", "transfer-encoding"];
/** On every answer, without exception (checklist 88). */
const ALWAYS = [
  "cache-control",
  "x-content-type-options",
  "content-security-policy",
  "cross-origin-resource-policy",
  "referrer-policy",
];
const WITH_STATUS: Readonly<Record<number, string>> = {
  401: "www-authenticate",
  405: "allow",
  429: "retry-after",
  503: "retry-after",
};
/** Answered to what can't be read, before anybody looks which operation is meant. */
const UNREAD = [400, 408, 431];

const made = new WeakMap<object, Documented>();

/** For a handler with these dialects. */
export function documentedBy(contracts: readonly Contract[]): Documented {
  const [first] = contracts as readonly [Contract];
  const known = made.get(first) ?? holdTo(createOpenapi({ contracts }));
  made.set(first, known);
  return known;
}

/** A handler every answer of which is held to the document, whoever gets it. */
export function createHandler(auth: Auth, options: HandlerOptions = {}): Endpoints {
  const { contracts = [latchkeyContract], prefix = "" } = options;
  const handle = createRealHandler(auth, options);
  const documented = documentedBy(contracts);
  const base = prefix.replace(/^\/*(?=.)/, "/").replace(/\/+$/, "");
  const held = async (request: Request, connection?: Connection): Promise<Response> => {
    const { method, url } = request;
    const response = await handle(request, connection);
    const path = url.slice(url.indexOf("/", url.indexOf("://") + 3));
    const { status, headers } = response;
    const exchange = { method, path: path.startsWith(base) ? path.slice(base.length) : "/", status, headers };
    const text = await response.text();
    try {
      documented.check({ ...exchange, text });
    } catch (problem) {
      // Behind a socket it would only be one more answer.
      console.error(problem);
      process.exitCode = 1;
      throw problem;
    }
    // Not a clone, whose body is a stream: what is whole goes out whole.
    return new Response(text === "" ? null : text, { status, headers });
  };
  return Object.assign(held, { paths: handle.paths, knows: handle.knows });
}

let kept: Documented | undefined;

/** For a server: every dialect where it usually is. */
export function documentedByFile(): Documented {
  kept ??= holdTo(JSON.parse(readFileSync(`${ROOT}docs/openapi.json`, "utf8")), { hasAllRows: false });
  return kept;
}

interface Found {
  readonly response: ResponseObject;
  readonly pointer: string;
}

const HINT = "document it at the row in src/contracts, or mend the answer";

/** @param options.hasAllRows false: a row of the document may be switched off, and is 404 then. Default true. */
export function holdTo(document: OpenapiDocument, { hasAllRows = true } = {}): Documented {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(closed(document) as object, "document");
  const validators = new Map<string, ValidateFunction>();
  const templates = Object.keys(document.paths)
    .map((template) => ({
      template,
      pattern: new RegExp(
        `^${template
          .replace(/\/$/, "")
          .replace(/[.]/g, "\\.")
          .replace(/\{[^}]+\}/g, "[^/%]+")}/?$`,
      ),
    }))
    // A path that is written out counts before one with parameters.
    .sort((one, other) => one.template.split("{").length - other.template.split("{").length);

  function validatorOf(pointer: string): ValidateFunction {
    const known = validators.get(pointer);
    if (known) return known;
    const validator = ajv.getSchema(`document#${pointer}`);
    assert.ok(validator, pointer);
    validators.set(pointer, validator);
    return validator;
  }

  /** The responses that the document has for an exchange, one of which it has to be, and where. */
  function find({ method, path, status }: Exchange): Found[] {
    const bare = path.replace(/[?#].*$/s, "");
    const template = templates.find(({ pattern }) => pattern.test(bare))?.template;
    const operations: [name: string, operation: Operation][] =
      template === undefined ? [] : Object.entries(document.paths[template] ?? {});
    const name = method === "HEAD" ? "get" : method.toLowerCase();
    const own = operations.find(([one]) => one === name);
    // Of a wrong method the dialect speaks that has the path.
    const spoken = own ?? operations.find(([, { responses }]) => status === 405 && responses[status]);
    const response = spoken?.[1].responses[status];
    const otherwise = document["x-otherwise"][status];
    const isElsewhere = own === undefined || UNREAD.includes(status) || (status === 404 && !hasAllRows);
    return [
      ...(response && template !== undefined && spoken
        ? [{ response, pointer: `/paths/${escaped(template)}/${spoken[0]}/responses/${status}` }]
        : []),
      ...(isElsewhere && otherwise ? [{ response: otherwise, pointer: `/x-otherwise/${status}` }] : []),
    ];
  }

  function judge(
    { method, path, status, text, headers }: Exchange,
    { response, pointer }: Found,
    others: readonly string[],
  ): void {
    const what = `${method} ${path.slice(0, 120)} answered ${status}`;
    const named = new Map([...headers].map(([name, value]) => [name.toLowerCase(), value]));
    const known = [...document["x-every-answer"], ...Object.keys(response.headers ?? {}), ...FRAMING, ...others];
    const names = new Set(known.map((name) => name.toLowerCase()));
    const unknown = [...named.keys()].filter((name) => !names.has(name));
    assert.deepEqual(unknown, [], `${what} with headers that the OpenAPI document does not know: ${HINT}`);
    for (const name of [...ALWAYS, ...(WITH_STATUS[status] ? [WITH_STATUS[status]] : [])]) {
      assert.ok(named.has(name), `${what} without ${name}`);
    }
    const type = named.get("content-type");
    if (response.content === undefined) {
      assert.deepEqual(
        [type, text],
        [undefined, ""],
        `${what} with a body that the OpenAPI document does not know: ${HINT}`,
      );
      return;
    }
    assert.ok(
      typeof type === "string" && type in response.content,
      `${what} as ${type}, not as ${Object.keys(response.content)}`,
    );
    if (method === "HEAD" || !response.content[type]?.schema) return;
    const validator = validatorOf(`${pointer}/content/${escaped(type)}/schema`);
    assert.ok(
      validator(JSON.parse(text)),
      `${what} with a body that is not as the OpenAPI document says: ${HINT}\n${ajv.errorsText(validator.errors)}\n${text.slice(0, 500)}`,
    );
  }

  return {
    knows: (path) => templates.some(({ pattern }) => pattern.test(path.replace(/[?#].*$/s, ""))),

    check(exchange, others = []) {
      const { method, path, status, text } = exchange;
      const [first, ...more] = find(exchange);
      const what = `${method} ${path.slice(0, 120)} answered ${status}`;
      assert.ok(first, `${what}, which the OpenAPI document does not know: ${HINT}\n${text.slice(0, 500)}`);
      try {
        judge(exchange, first, others);
      } catch (problem) {
        if (more[0] === undefined) throw problem;
        judge(exchange, more[0], others);
      }
    },
  };
}

const escaped = (part: string) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));

/** The document lets answers grow; a test wants to know of everything that is in one. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)]));
  const isObject = copy.type === "object" && typeof copy.properties === "object";
  return isObject && copy.additionalProperties === undefined ? { ...copy, additionalProperties: false } : copy;
}

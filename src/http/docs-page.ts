/**
 * The document as a page for people: made here, of the document alone, without a script. It is read where there is no network, found through with
 * the browser's own search, printed, and spoken by a screen reader.
 */
import { type Html, html, type Part } from "./html.ts";
import type { OpenapiDocument, Operation, Parameter, ResponseObject } from "./openapi.ts";
import { exampleOf, type JsonSchema } from "./openapi-example.ts";

interface Listed extends Operation {
  readonly method: string;
  readonly path: string;
}

/** @returns a whole page that needs its stylesheet and nothing else. */
export function toPage(document: OpenapiDocument): string {
  const base = document.servers[0]?.url.replace(/^\/$/, "") ?? "";
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]): Listed => ({ ...operation, method: method.toUpperCase(), path }),
    ),
  );
  const groups = document.tags.map(({ name }) => ({
    name,
    rows: operations.filter(({ tags }) => tags.includes(name)),
  }));
  const { schemas } = document.components;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${document.info.title} API</title>
<link rel="stylesheet" href="${base}/docs/style.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<nav aria-label="Operations">
<p class="name">${document.info.title} <span>API</span></p>
${groups.map(
  ({ name, rows }) => html`<h2>${name}</h2>
<ul>${rows.map((row) => html`<li><a href="#${row.operationId}">${method(row)} <span>${row.path}</span></a></li>`)}</ul>
`,
)}<h2>Shapes</h2>
<ul>${Object.keys(schemas).map((name) => html`<li><a href="#shape-${name}">${name}</a></li>`)}</ul>
</nav>
<main id="content">
<h1>${document.info.title} API</h1>
<p class="lead">${marked(document.info.description)}</p>
<p>The same for programs: <a href="${base}/openapi.json">openapi.json</a> (OpenAPI 3.1). The examples are for a shell that knows where the server is:</p>
${code("URL=http://localhost:8000\nTOKEN=…   # an access token")}
${groups.map(
  ({ name, rows }) => html`<section aria-labelledby="${anchor(name)}">
<h2 id="${anchor(name)}">${name}</h2>
${rows.map((row) => article(row, { document, base }))}</section>
`,
)}<section aria-labelledby="shapes">
<h2 id="shapes">Shapes</h2>
${Object.entries(schemas).map(
  ([name, schema]) => html`<article id="shape-${name}">
<h3>${name}</h3>
${schema.description === undefined ? undefined : html`<p>${marked(schema.description)}</p>`}
${fieldTable(`Fields of ${name}`, schema)}
</article>
`,
)}</section>
</main>
</body>
</html>
`;
  return page.html;
}

interface Context {
  readonly document: OpenapiDocument;
  readonly base: string;
}

function article(row: Listed, { document, base }: Context): Html {
  const { parameters = [], requestBody, responses } = row;
  const [type, body] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const types = Object.keys(requestBody?.content ?? {}).slice(1);
  return html`<article id="${row.operationId}">
<h3>${method(row)} <code>${row.path}</code></h3>
<p>${row.summary}. ${credentials(row)}</p>
${parameters.length > 0 ? parameterTable(`Parameters of ${row.method} ${row.path}`, parameters) : undefined}
${body?.schema ? html`<h4>Body</h4>${fieldTable(`Body of ${row.method} ${row.path}`, body.schema)}` : undefined}
${types.length > 0 ? html`<p>Taken as ${list([type ?? "", ...types])}.</p>` : undefined}
<h4>Example</h4>
${code(toCurl(row, { document, base }))}
<h4>Answers</h4>
<dl>${Object.entries(responses).map(([status, response]) => answer(status, response, document))}</dl>
</article>
`;
}

function answer(status: string, response: ResponseObject, document: OpenapiDocument): Html {
  const [type, content] = Object.entries(response.content ?? {})[0] ?? [];
  const headers = Object.keys(response.headers ?? {});
  const isGood = status.startsWith("2");
  const example = isGood && content?.schema ? exampleOf(content.schema, document.components.schemas) : undefined;
  const named = content?.schema?.$ref?.split("/").at(-1);
  return html`<dt class="s${status.charAt(0)}">${status}</dt>
<dd>${marked(response.description)}${named ? html` <a href="#shape-${named}">${named}</a>` : undefined}${
    isGood && type !== undefined && type !== "application/json" ? html` <code>${type}</code>` : undefined
  }${headers.length > 0 ? html` <small>with ${headers.join(", ")}</small>` : undefined}${
    example === undefined ? undefined : code(JSON.stringify(example, undefined, 2))
  }</dd>
`;
}

function credentials({ security }: Listed): Part {
  const names = security.flatMap((one) => Object.keys(one));
  if (names.includes("service")) return "Needs a credential of LATCHKEY_FEED_TOKENS.";
  const isForStaff = security.some(({ bearer }) => bearer?.includes("staff"));
  if (names.includes("bearer")) return `Needs an access token${isForStaff ? " of a member of staff" : ""}.`;
  return "Needs no credential.";
}

/** One command; what is in it is quoted for a shell. */
function toCurl({ method, path, parameters = [], requestBody, security }: Listed, { document, base }: Context): string {
  const example = Object.values(requestBody?.content ?? {})[0]?.example;
  const concrete = path.replace(/\{[^}]+\}/g, "1");
  const query = parameters.find((parameter) => parameter.in === "query");
  const queryText = query && `?${query.name}=${exampleOf(query.schema, document.components.schemas)}`;
  const hasExample = query !== undefined && (query.schema.examples !== undefined || query.schema.const !== undefined);
  const lines = [
    `curl${method === "GET" ? "" : ` -X ${method}`} "$URL${base}${concrete}${hasExample ? queryText : ""}"`,
    ...(security.some((one) => "bearer" in one || "service" in one) ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(example === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(example).replaceAll("'", "'\\''")}'`]),
  ];
  return lines.join(" \\\n  ");
}

function parameterTable(label: string, parameters: readonly Parameter[]): Html {
  const rows = parameters.map(({ name, in: place, required, description, schema }) => ({
    name,
    type: typeOf(schema),
    note: `${place}${required ? ", required" : ""}`,
    description,
  }));
  return html`<h4>Parameters</h4>${table(label, rows)}`;
}

interface Field {
  readonly name: string;
  readonly type: Part;
  readonly note: string;
  readonly description: string | undefined;
}

function fieldTable(label: string, schema: JsonSchema): Part {
  if (schema.$ref !== undefined) return html`<p>${typeOf(schema)}</p>`;
  const rows = fieldsOf(schema);
  return rows.length > 0 ? table(label, rows) : html`<p>${typeOf(schema)}</p>`;
}

/** All fields, those of lists and objects within by their way there. */
function fieldsOf(schema: JsonSchema, way = ""): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, one]) => {
    const isRequired = schema.required?.includes(name) ?? false;
    const inner =
      one.type === "array" && one.items ? fieldsOf(one.items, `${way}${name}[].`) : fieldsOf(one, `${way}${name}.`);
    const description = one.description ?? one.anyOf?.find((option) => option.description)?.description;
    return [{ name: way + name, type: typeOf(one), note: isRequired ? "required" : "", description }, ...inner];
  });
}

function table(label: string, rows: readonly Field[]): Html {
  const isExplained = rows.some(({ description }) => description !== undefined);
  const meaning = isExplained ? html`<th scope="col">Meaning</th>` : undefined;
  return html`<div class="table" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th>${meaning}</tr></thead>
<tbody>${rows.map(({ name, type, note, description }) => {
    const small = note === "" ? undefined : html` <small>${note}</small>`;
    const cell = isExplained
      ? html`<td>${description === undefined ? undefined : marked(description)}</td>`
      : undefined;
    return html`<tr><th scope="row"><code>${name}</code>${small}</th><td>${type}</td>${cell}</tr>
`;
  })}</tbody></table></div>
`;
}

function typeOf(schema: JsonSchema): Part {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return html`<a href="#shape-${name}">${name}</a>`;
  }
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum !== undefined)
    return list(
      schema.enum.map((value) => JSON.stringify(value)),
      "or",
    );
  if (schema.anyOf !== undefined) return joined(schema.anyOf.map(typeOf), " or ");
  if (schema.type === "array")
    return html`list${schema.items && schema.items.type !== "object" ? html` of ${typeOf(schema.items)}` : ""}`;
  const words = schema.format === "date-time" ? "instant (RFC 3339)" : String(schema.type ?? "anything");
  return html`${WORDS[words] ?? words}${limits(schema)}`;
}

const WORDS: Readonly<Record<string, string>> = { string: "text", integer: "whole number", boolean: "true or false" };

function limits({ minLength, maxLength, minimum, maximum, pattern }: JsonSchema): Part {
  const parts = [
    ...(maxLength === undefined ? [] : [`${minLength ?? 0}–${Number(maxLength).toLocaleString("en")} characters`]),
    ...(minimum === undefined && maximum === undefined
      ? []
      : [maximum === undefined ? `${minimum} or more` : `${minimum}–${Number(maximum).toLocaleString("en")}`]),
  ];
  const shape = pattern === undefined ? undefined : html`, <code>${String(pattern)}</code>`;
  return html`${parts.length > 0 ? `, ${parts.join(", ")}` : ""}${shape}`;
}

const method = (row: Listed) => html`<span class="method ${row.method.toLowerCase()}">${row.method}</span>`;
const anchor = (name: string) => `group-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
const code = (text: string) => html`<pre tabindex="0"><code>${text}</code></pre>`;
const joined = (parts: readonly Part[], between: string): Part =>
  parts.map((part, i) => (i === 0 ? part : [between, part]));
const list = (names: readonly string[], word = "or"): Part =>
  joined(
    names.map((name) => html`<code>${name}</code>`),
    ` ${word} `,
  );

/** Text in which `backquotes` mark code. */
const marked = (text: string): Part =>
  text.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part));

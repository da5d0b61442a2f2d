/** The rows that tell of all the others: the OpenAPI document, and the page that shows it. Both are made when somebody asks. */
import type { OpenapiDocument } from "./openapi.ts";
import { type Contract, type Route, route } from "./route.ts";

export interface DocumentsOptions {
  /** The dialects that are served beside. */
  readonly contracts: readonly Contract[];
  /** Whether clients may ask for cookies. */
  readonly cookies: boolean;
  /** Whether there is a page. */
  readonly hasPage: boolean;
}

/** Kept, but asked for again each time: a new release may say something else. */
const CACHE_CONTROL = "public, no-cache";
const GROUP = "About this API";

/** What the page may load: its stylesheet. */
const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function createDocuments({ contracts, cookies, hasPage }: DocumentsOptions): Contract {
  let made: Promise<OpenapiDocument> | undefined;
  /** The last one, since nearly all requests of a server come by the same way. */
  let shown: { readonly base: string; readonly page: string } | undefined;

  async function documentAt(base: string): Promise<OpenapiDocument> {
    made ??= import("./openapi.ts").then(({ createOpenapi }) =>
      createOpenapi({ contracts: [...contracts, own], cookies }),
    );
    return { ...(await made), servers: [{ url: base === "" ? "/" : base }] };
  }

  async function pageAt(base: string): Promise<string> {
    if (shown?.base !== base) {
      const { toPage } = await import("./docs-page.ts");
      shown = { base, page: toPage(await documentAt(base)) };
    }
    return shown.page;
  }

  const page: readonly Route[] = [
    route({
      method: "GET",
      path: "/docs",
      summary: "This page",
      guard: "none",
      text: "text/html; charset=utf-8",
      headers: ["ETag"],
      group: GROUP,
      async handle({ base }) {
        return {
          status: 200,
          text: { type: "text/html; charset=utf-8", content: await pageAt(plain(base)) },
          headers: { "content-security-policy": PAGE_POLICY },
          cacheControl: CACHE_CONTROL,
        };
      },
    }),
    route({
      method: "GET",
      path: "/docs/style.css",
      summary: "What it looks like",
      guard: "none",
      text: "text/css; charset=utf-8",
      headers: ["ETag"],
      group: GROUP,
      async handle() {
        const { STYLESHEET } = await import("./docs-style.ts");
        return {
          status: 200,
          text: { type: "text/css; charset=utf-8", content: STYLESHEET },
          cacheControl: CACHE_CONTROL,
        };
      },
    }),
  ];

  const own: Contract = {
    name: "documents",
    routes: [
      route({
        method: "GET",
        path: "/openapi.json",
        summary: "The OpenAPI 3.1 document of what is served here",
        guard: "none",
        text: "application/json",
        headers: ["ETag"],
        group: GROUP,
        async handle({ base }) {
          return { status: 200, body: await documentAt(plain(base)), cacheControl: CACHE_CONTROL };
        },
      }),
      ...(hasPage ? page : []),
    ],
  };
  return own;
}

/** A framework may take what it has mounted us under from the request, and people copy what stands in an example. */
const plain = (base: string) => (/^[A-Za-z0-9._~/-]*$/.test(base) ? base : "");

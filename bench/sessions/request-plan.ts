/** What a server wants to be asked: the load generator knows nothing of tokens and cookies. */

/** The kinds of request that servers are compared by. */
export type RequestKind = "refresh" | "guarded" | "me" | "login";

export interface RequestPlan {
  readonly port: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent in turn, again and again; a refresh has one for each request. */
  readonly variants: readonly RequestVariant[];
}

export interface RequestVariant {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const JSON_TYPE = { "content-type": "application/json" } as const;
/** How many different tokens or cookies take turns at a guard. */
export const VARIANT_COUNT = 32;
export const CREDENTIALS = {
  username: "ada",
  email: "ada@example.com",
  password: "tangerine-ladder-43-quiet",
} as const;

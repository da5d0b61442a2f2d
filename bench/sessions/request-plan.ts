/** What a server wants to be asked: the load generator knows nothing of tokens and cookies. */

/** The kinds of request that servers are compared by. */
export type RequestKind = "refresh" | "guarded" | "me" | "login" | "lonely login";

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
/** The one password of everybody. */
export const PASSWORD = "tangerine-ladder-43-quiet";
/** argon2id as Latchkey has it. */
export const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;

/** Logins of one user after the other: nobody comes to the limit of live sessions. */
export function loginVariants(users: number): RequestVariant[] {
  return Array.from({ length: users }, (_, i) => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ username: `user${i + 1}`, password: PASSWORD }),
  }));
}

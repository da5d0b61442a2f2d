/** Claims typed from the schema of `createAuth` to the handler of every framework, checked by `tsc --noEmit`: every line that must not compile says so. */
import type { IncomingMessage } from "node:http";
import express from "express";
import { type FastifyBaseLogger, type FastifyInstance, fastify } from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { z } from "zod";
import * as forExpress from "../../src/adapters/express.ts";
import * as forFastify from "../../src/adapters/fastify.ts";
import * as forFetch from "../../src/adapters/fetch.ts";
import * as forHono from "../../src/adapters/hono.ts";
import * as forKoa from "../../src/adapters/koa.ts";
import * as forNest from "../../src/adapters/nestjs.ts";
import * as forNext from "../../src/adapters/next.ts";
import * as forNode from "../../src/adapters/node.ts";
import type { GuardOptions } from "../../src/http/guard.ts";
import { type Auth, createAuth, type Identity, type Storage, type User } from "../../src/index.ts";
import type { StandardSchema, Verifier } from "../../src/jwt/index.ts";

const schema = z.object({
  plan: z.enum(["free", "pro"]),
  roles: z.array(z.string()),
  since: z.iso.datetime().transform((text) => new Date(text)),
});
type Plan = "free" | "pro";

declare const storage: Storage;
declare const typed: Auth<{ plan: Plan; roles: string[]; since: Date }>;
declare const plain: Auth;
declare const verifier: Verifier<{ plan: Plan }>;

export async function theSchemaSaysWhatIsIssuedAndWhatIsRead(): Promise<void> {
  const base = { secret: "", storage };
  const claimsOf = () => ({ plan: "pro" as const, roles: [], since: "2026-01-01T00:00:00Z" });
  const auth = await createAuth({ ...base, claims: schema, claimsOf });
  const { claims } = await auth.authenticate("");
  const plan: Plan = claims.plan;
  const since: Date = claims.since;
  const sub: string = claims.sub;
  // @ts-expect-error what the schema does not name is unknown
  const other: string = claims.other;
  // @ts-expect-error nor is there another plan
  const gold: "gold" = claims.plan;
  // @ts-expect-error a schema says nothing of what a user's claims are
  await createAuth({ ...base, claims: schema });
  // @ts-expect-error a plan that there is not
  await createAuth({ ...base, claims: schema, claimsOf: () => ({ ...claimsOf(), plan: "gold" }) });
  // @ts-expect-error a claim is missing
  await createAuth({ ...base, claims: schema, claimsOf: () => ({ plan: "pro" }) });
  // @ts-expect-error a Date is what is read; what is issued is its text
  await createAuth({ ...base, claims: schema, claimsOf: () => ({ ...claimsOf(), since: new Date() }) });
  await createAuth({ ...base, claims: schema, claimsOf: async (user) => ({ ...claimsOf(), roles: [user.username] }) });

  await createAuth({
    ...base,
    claims: schema,
    claimsOf: (user) => ({ plan: user.isStaff ? "pro" : "free", roles: ["a"], since: "" }),
  });
  const roles = z.object({ roles: z.array(z.enum(["staff"])) });
  await createAuth({ ...base, claims: roles, claimsOf: ({ isStaff }) => ({ roles: isStaff ? ["staff"] : [] }) });
  await createAuth({ ...base, claims: roles, claimsOf: async () => ({ roles: ["staff"] }) });
  // @ts-expect-error no such role
  await createAuth({ ...base, claims: roles, claimsOf: ({ isStaff }) => ({ roles: isStaff ? ["boss"] : [] }) });
  // @ts-expect-error no such role, later
  await createAuth({ ...base, claims: roles, claimsOf: async () => ({ roles: ["boss"] }) });
  // @ts-expect-error nothing at all
  await createAuth({ ...base, claims: roles, claimsOf: () => undefined });
  const nested = z.object({
    tree: z.array(z.object({ kind: z.enum(["leaf"]) })),
    at: z.tuple([z.string(), z.number()]),
  });
  const nestedOf = ({ username }: User): z.input<typeof nested> => ({ tree: [{ kind: "leaf" }], at: [username, 1] });
  await createAuth({ ...base, claims: nested, claimsOf: nestedOf });
  await createAuth({
    ...base,
    claims: nested,
    claimsOf: ({ username }) => ({ tree: [{ kind: "leaf" as const }], at: [username, 1] as const }),
  });
  const withNumber = ({ username }: User) => ({ ...claimsOf(), roles: [username, 1] });
  // @ts-expect-error roles are texts
  await createAuth({ ...base, claims: schema, claimsOf: withNumber });

  const byHand: StandardSchema<{ tenant: string }> = {
    "~standard": { version: 1, vendor: "by hand", validate: (value) => ({ value: value as { tenant: string } }) },
  };
  const alike = await createAuth({ ...base, claims: byHand, claimsOf: () => ({ tenant: "a" }) });
  const tenant: string = (await alike.authenticate("")).claims.tenant;

  const untyped = await createAuth({ ...base, claims: () => ({ plan: "pro" }) });
  const unknownPlan: unknown = (await untyped.authenticate("")).claims.plan;
  // @ts-expect-error a function promises nothing of tokens that were issued before it
  const notKnown: string = (await untyped.authenticate("")).claims.plan;
  const asAny: Auth = auth;
  return void [plan, since, sub, other, gold, tenant, unknownPlan, notKnown, asAny];
}

export function guardsAskOnlyForWhatThereIs(): void {
  forNode.requireAuth(typed, { claims: { plan: "pro" } });
  forNode.requireAuth(typed, { claims: ({ plan, sub }) => plan === "pro" && sub !== "" });
  forNode.requireAuth(plain, { claims: { anything: 1 } });
  forNode.requireAuth(verifier, { claims: { plan: "free" } });
  // @ts-expect-error a plan that there is not
  forNode.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error a claim that there is not
  forNode.requireAuth(typed, { claims: { tenant: "a" } });
  // @ts-expect-error a comparison that can't come out true
  forNode.requireAuth(typed, { claims: ({ plan }) => plan === "gold" });
  // @ts-expect-error an array is never the same as another
  forNode.requireAuth(typed, { claims: { roles: ["staff"] } });
  // @ts-expect-error the same for a verifier
  forNode.requireAuth(verifier, { claims: { plan: "gold" } });
  // @ts-expect-error and in every adapter
  forExpress.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error
  forFastify.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error
  forHono.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error
  forKoa.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error
  forNest.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error
  forNext.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error
  forFetch.requireAuth(typed, { claims: { plan: "gold" } });
  // @ts-expect-error an option that there is not
  forNode.requireAuth(typed, { role: ["staff"] });
}

/** What is inferred as a type of its own is looked at for names as well. */
export function guardsKnowTheirNames(): void {
  // @ts-expect-error a letter too many, beside what is right
  forNode.requireAuth(typed, { roles: ["staff"], optionall: true });
  // @ts-expect-error
  forExpress.requireAuth(plain, { roles: ["staff"], optionall: true });
  // @ts-expect-error
  forFastify.requireAuth(typed, { roles: ["staff"], optionall: true });
  // @ts-expect-error
  forHono.requireAuth(typed, { roles: ["staff"], optionall: true });
  // @ts-expect-error
  forKoa.requireAuth(typed, { roles: ["staff"], optionall: true });
  // @ts-expect-error
  forNext.requireAuth(typed, { roles: ["staff"], optionall: true });
  // @ts-expect-error
  forFetch.requireAuth(typed, { roles: ["staff"], optionall: true });
  // @ts-expect-error a claim that there is not, beside one that there is
  forNode.requireAuth(typed, { claims: { plan: "pro", tenant: "a" } });
  forNode.requireAuth(plain, { claims: { plan: "pro", tenant: "a" } });
  forNode.requireAuth(typed, { claims: ({ plan }) => plan === "pro", optional: true });
  const options = { roles: ["staff"], optional: false, freshness: "live" } as const;
  forNode.requireAuth(typed, options);
  const loose: GuardOptions<IncomingMessage> = {};
  forNode.requireAuth(plain, loose);
  forExpress.requireAuth(typed, { authenticators: [({ headers }) => headers.host && { id: 1 }] });
}

export function rolesAreThoseOfTheSchema(): void {
  const staff = {} as Auth<{ roles: ("staff" | "editor")[] }>;
  forNode.requireAuth(staff, { roles: ["staff", "editor"] });
  forNode.requireAuth(typed, { roles: ["any", "text"] });
  forNode.requireAuth(plain, { roles: ["any"] });
  forNode.requireAuth({} as Auth<{ roles?: readonly "staff"[] }>, { roles: ["staff"] });
  forNode.requireAuth({} as Auth<{ plan: Plan; [name: string]: unknown }>, { roles: ["any"] });
  // biome-ignore lint/suspicious/noExplicitAny: an engine whose claims nobody has typed
  forNode.requireAuth({} as Auth<any>, { roles: ["any"] });
  forNest.requireAuth(staff, { roles: ["staff"] });
  // @ts-expect-error a role that there is not
  forNode.requireAuth(staff, { roles: ["boss"] });
  // @ts-expect-error in every adapter
  forExpress.requireAuth(staff, { roles: ["boss"] });
  // @ts-expect-error
  forFastify.requireAuth(staff, { roles: ["boss"] });
  // @ts-expect-error
  forHono.requireAuth(staff, { roles: ["boss"] });
  // @ts-expect-error
  forKoa.requireAuth(staff, { roles: ["boss"] });
  // @ts-expect-error
  forNest.requireAuth(staff, { roles: ["boss"] });
  // @ts-expect-error
  forNext.requireAuth(staff, { roles: ["boss"] });
  // @ts-expect-error
  forFetch.requireAuth(staff, { roles: ["boss"] });
  const either = {} as Auth<{ kind: "a" } | { kind: "b"; roles: "staff"[] }>;
  forNode.requireAuth(either, { roles: ["staff"] });
  // @ts-expect-error neither knows it
  forNode.requireAuth(either, { roles: ["boss"] });
  // @ts-expect-error nobody's claims have roles
  forNode.requireAuth(verifier, { roles: ["staff"] });
}

export function nodeInfers(): void {
  forNode.requireAuth(typed)(({ auth }) => {
    const plan: Plan = auth.claims.plan;
    // @ts-expect-error
    const gold: "gold" = auth.claims.plan;
    return [plan, gold];
  });
  forNode.requireAuth(typed, { optional: true })(({ auth }) => {
    // @ts-expect-error nobody may have asked
    const id: number = auth.userId;
    return [id, auth?.claims.plan];
  });
  forNode.requireAuth(verifier)(({ auth }) => {
    const plan: Plan = auth.claims.plan;
    // @ts-expect-error a verifier knows no users
    return [plan, auth.userId];
  });
  const authenticators = [(_request: IncomingMessage) => ({ apiKey: "a" })];
  forNode.requireAuth(typed, { authenticators })(({ auth }) => {
    const who = "apiKey" in auth ? auth.apiKey : auth.claims.plan;
    return who satisfies string;
  });
}

export function fetchAndNextInfer(): void {
  /** As NextRequest is one. */
  interface OwnRequest extends Request {
    readonly own: string;
  }
  type Context = { readonly params: Promise<{ id: string }> };
  forNext.requireAuth(typed)(async (request: OwnRequest, { claims }, { params }: Context) =>
    Response.json([request.own, claims.plan satisfies Plan, (await params).id]),
  ) satisfies (request: OwnRequest, context: Context) => Promise<Response>;
  forNext.requireAuth(typed)(({ url }) => Response.json(url)) satisfies (request: Request) => Promise<Response>;
  forFetch.requireAuth(typed)((request: OwnRequest, { claims }) => Response.json([request.own, claims.plan]));
  // @ts-expect-error a handler for what is no request
  forFetch.requireAuth(typed)((request: string) => Response.json(request));
  forFetch.requireAuth(typed)((_request, { claims }) => Response.json(claims.plan satisfies Plan));
  forNext.requireAuth(typed)((_request, { claims }) => Response.json(claims.plan satisfies Plan));
  // @ts-expect-error
  forFetch.requireAuth(typed)((_request, { claims }) => Response.json(claims.plan satisfies "gold"));
  void (async () => {
    const who = await forNext.currentAuth(typed, new Headers());
    const plan: Plan | undefined = who?.claims.plan;
    // @ts-expect-error nobody may be signed in
    return [plan, who.claims];
  });
}

export function honoInfers(): void {
  const app = new Hono();
  const { around } = forHono.requireAuth(typed);
  app.get(
    "/",
    around((c) => c.json(c.var.auth.claims.plan satisfies Plan)),
  );
  // @ts-expect-error the schema says what a plan is
  around((c) => c.json(c.var.auth.claims.plan satisfies "gold"));
  app.get(
    "/orders/:id",
    around((c) => c.text(c.req.param("id") ?? "")),
  );
  const noAnswer = around((c) => c.var.auth.claims.plan);
  // @ts-expect-error a handler gives a response, or a promise of one
  app.get("/", noAnswer);
  app.get("/", forHono.requireAuth(typed), (c) => c.json(c.var.auth.claims.plan satisfies Plan));
  // @ts-expect-error
  app.get("/", forHono.requireAuth(typed), (c) => c.json(c.var.auth.claims.plan satisfies "gold"));
  // @ts-expect-error no guard stands in front
  app.get("/", (c) => c.json(c.var.auth));
  app.get("/", forHono.requireAuth(typed, { optional: true }), (c) => {
    // @ts-expect-error nobody may have asked
    const id: number = c.var.auth.userId;
    return c.json(id);
  });
}

export function koaInfers(): void {
  const app = new Koa();
  app.use(forKoa.requireAuth(typed)).use((context) => {
    context.body = context.state.auth.claims.plan satisfies Plan;
    // @ts-expect-error
    context.body = context.state.auth.claims.plan satisfies "gold";
  });
}

export function anyFastifyTakesTheHook(logger: FastifyBaseLogger): void {
  const guard = forFastify.requireAuth(typed);
  const withLogger = fastify({ loggerInstance: logger });
  withLogger.get("/", { onRequest: guard }, (request) => forFastify.authOf(request, guard).claims.plan satisfies Plan);
  withLogger.addHook("preHandler", guard);
  const http2 = fastify({ http2: true });
  http2.get("/", { onRequest: [guard] }, (request) => forFastify.authOf(request, guard).userId satisfies number);
}

export function expressAndFastifyHaveAnAccessor(app: FastifyInstance): void {
  const { authOf, requireAuth } = forExpress;
  const guard = requireAuth(typed);
  const open = requireAuth(typed, { optional: true });
  express().get("/orders/:id", guard, (request, response) => {
    response.json([request.params.id satisfies string, authOf(request, guard).userId]);
  });
  express().use(guard);
  express.Router({ mergeParams: true }).use("/x", guard);
  express().get("/", guard, (request, response) => {
    const plan: Plan = authOf(request, guard).claims.plan;
    // @ts-expect-error
    const gold: "gold" = authOf(request, guard).claims.plan;
    // @ts-expect-error nobody may have asked
    const id: number = authOf(request, open).userId;
    const who: Identity = authOf(request);
    const named: number = authOf<{ userId: number }>(request).userId;
    response.json([plan, gold, id, who, named]);
  });
  const hook = forFastify.requireAuth(typed);
  app.get("/", { onRequest: hook }, (request) => {
    const plan: Plan = forFastify.authOf(request, hook).claims.plan;
    // @ts-expect-error
    const gold: "gold" = forFastify.authOf(request, hook).claims.plan;
    return [plan, gold];
  });
}

/** A parameter's decorator can't give it a type, so it is written. */
export function nestNamesTheType(who: forNest.Guarded<typeof typed>): Plan {
  return who.claims.plan;
}

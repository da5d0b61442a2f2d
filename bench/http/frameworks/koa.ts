/** Koa, which has no router of its own, and koa-jwt with a key that was made once. */
import Koa, { type Context, type Middleware } from "koa";
import koaJwt from "koa-jwt";
import {
  type Applications,
  HOST,
  JSONWEBTOKEN_CHECKS,
  listening,
  NO_AUTH,
  NO_OP,
  NOBODY,
  PATH,
} from "../application.ts";
import { guardedByOurs, type Who } from "../ours.ts";

export const koa: Applications = {
  [NO_AUTH]: () => answering([], () => NOBODY),

  [NO_OP]: () => answering([(_, next) => next()], () => NOBODY),

  ...guardedByOurs<typeof import("../../../src/adapters/koa.ts")>("latchkey/koa", ({ requireAuth }, source) =>
    answering([requireAuth(source) as Middleware], ({ state }) => (state.auth as Who).claims.sub),
  ),

  "koa-jwt, KeyObject": ({ key }) => {
    // Its types know texts and buffers only; jsonwebtoken, which it hands the key to, takes a KeyObject.
    const guard = koaJwt({ secret: key as unknown as Buffer, ...JSONWEBTOKEN_CHECKS });
    return answering([guard], ({ state }) => state.user.sub);
  },
};

let kinds: Pick<Koa, "context" | "request" | "response"> | undefined;

/** Koa gives each application prototypes of its own. An application has one of each, and so should the many of this process. */
function shareKinds(app: Koa): void {
  kinds ??= { context: app.context, request: app.request, response: app.response };
  Object.assign(app, kinds);
}

function answering(guards: readonly Middleware[], subjectOf: (context: Context) => unknown): Promise<number> {
  const app = new Koa();
  shareKinds(app);
  for (const guard of guards) app.use(guard);
  app.use((context) => {
    if (context.path === PATH) context.body = { sub: subjectOf(context as Context) };
  });
  return listening(app.listen(0, HOST));
}

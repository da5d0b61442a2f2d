/** Fastify, and @fastify/jwt as its documentation has it, with its cache. */
import fastifyJwt from "@fastify/jwt";
import { type FastifyInstance, type FastifyRequest, fastify, type onRequestHookHandler } from "fastify";
import {
  type Applications,
  AUDIENCE,
  HOST,
  ISSUER,
  listening,
  NO_AUTH,
  NO_OP,
  NOBODY,
  PATH,
  type Setting,
} from "../application.ts";
import { guardedByOurs, type Who } from "../ours.ts";

export const fastifyApplications: Applications = {
  [NO_AUTH]: () => answering(fastify(), undefined, () => NOBODY),

  [NO_OP]: () =>
    answering(
      fastify(),
      (_request, _reply, done) => done(),
      () => NOBODY,
    ),

  ...guardedByOurs<typeof import("../../../src/adapters/fastify.ts")>(
    "latchkey/fastify",
    ({ requireAuth, authOf }, source) => {
      const app = fastify();
      app.decorateRequest("auth");
      return answering(app, requireAuth(source), (request) => authOf<Who>(request).claims.sub);
    },
  ),

  "@fastify/jwt, its cache": (setting) => theirs(setting, { cache: CACHED }),

  // Cheaper than by a hash of it: fast-jwt's documentation offers it to who does not mind tokens in memory.
  "@fastify/jwt, its cache keyed by the token": (setting) =>
    theirs(setting, { cache: CACHED, cacheKeyBuilder: (token: string) => token }),
};

const CACHED = 1000;

async function theirs({ secret }: Setting, cache: object): Promise<number> {
  const app = fastify();
  await app.register(fastifyJwt, {
    secret,
    verify: { algorithms: ["HS256"], allowedIss: ISSUER, allowedAud: AUDIENCE, ...cache },
  });
  const guard = async (request: FastifyRequest): Promise<void> => {
    await request.jwtVerify();
  };
  return answering(app, guard, ({ user }) => (user as { sub: string }).sub);
}

async function answering(
  app: FastifyInstance,
  guard: onRequestHookHandler | ((request: FastifyRequest) => Promise<void>) | undefined,
  subjectOf: (request: FastifyRequest) => unknown,
): Promise<number> {
  app.get(PATH, { ...(guard && { onRequest: guard }) }, (request, reply) => reply.send({ sub: subjectOf(request) }));
  await app.listen({ port: 0, host: HOST });
  return listening(app.server);
}

/** Express, and the two that its users know, each with a key that was made once. */
import express, { type Express, type Request, type RequestHandler } from "express";
import { expressjwt } from "express-jwt";
import { Passport } from "passport";
import { ExtractJwt, Strategy } from "passport-jwt";
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

export const expressApplications: Applications = {
  [NO_AUTH]: () => answering([], () => NOBODY),

  [NO_OP]: () => answering([(_request, _response, next) => next()], () => NOBODY),

  ...guardedByOurs<typeof import("../../../src/adapters/express.ts")>(
    "latchkey/express",
    ({ requireAuth, authOf }, source) => answering([requireAuth(source)], (request) => authOf<Who>(request).claims.sub),
  ),

  "express-jwt, KeyObject": ({ key }) =>
    answering(
      [expressjwt({ secret: key, ...JSONWEBTOKEN_CHECKS })],
      (request) => (request as { auth?: { sub?: string } }).auth?.sub,
    ),

  "passport-jwt, KeyObject": ({ key }) => {
    const passport = new Passport();
    const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
    // Its types know texts and buffers only; jsonwebtoken, which it hands the key to, takes a KeyObject.
    const secretOrKey = key as unknown as Buffer;
    passport.use(
      new Strategy({ jwtFromRequest, secretOrKey, ...JSONWEBTOKEN_CHECKS }, (claims, done) => done(null, claims)),
    );
    return answering(
      [passport.authenticate("jwt", { session: false })],
      (request) => (request as { user?: { sub?: string } }).user?.sub,
    );
  },
};

let kinds: Pick<Express, "request" | "response"> | undefined;

/**
 * Express gives the requests of each application a prototype of their own. An application has one, and so should the many of this process:
 * where the engine sees six kinds of request, everything that Express does with one is slower by half.
 */
export function shareKinds(app: Express): void {
  kinds ??= { request: app.request, response: app.response };
  Object.assign(app, kinds);
}

function answering(guards: readonly RequestHandler[], subjectOf: (request: Request) => unknown): Promise<number> {
  const app = express();
  shareKinds(app);
  app.get(PATH, ...guards, (request: Request, response) => void response.json({ sub: subjectOf(request) }));
  return listening(app.listen(0, HOST));
}

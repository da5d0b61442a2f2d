/** Bare node:http. Nobody is its usual plugin; fast-jwt with its cache is the quickest that one can put there by hand. */
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createVerifier } from "fast-jwt";
import { type Applications, AUDIENCE, HOST, ISSUER, listening, NO_AUTH, NO_OP, NOBODY, PATH } from "../application.ts";
import { guardedByOurs, type Who } from "../ours.ts";

export const nodeHttp: Applications = {
  [NO_AUTH]: () => serving((_request, response) => answer(response, NOBODY)),

  [NO_OP]: () => {
    const pass =
      (listener: RequestListener): RequestListener =>
      (request, response) =>
        listener(request, response);
    return serving(pass((_request, response) => answer(response, NOBODY)));
  },

  ...guardedByOurs<typeof import("../../../src/adapters/node.ts")>("latchkey/node", ({ requireAuth }, source) =>
    serving(requireAuth(source)((request, response) => answer(response, (request.auth as Who).claims.sub))),
  ),

  "fast-jwt, its cache": ({ secret }) => {
    const verify = createVerifier({
      key: secret,
      algorithms: ["HS256"],
      allowedIss: ISSUER,
      allowedAud: AUDIENCE,
      cache: 1000,
      cacheKeyBuilder: (token) => token,
    });
    return serving(({ headers: { authorization = "" } }, response) => {
      const [scheme, token] = authorization.split(" ");
      let sub: string;
      try {
        if (scheme !== "Bearer" || !token) return void response.writeHead(401).end();
        ({ sub } = verify(token));
      } catch {
        return void response.writeHead(401).end();
      }
      answer(response, sub);
    });
  },
};

function serving(handle: RequestListener): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url !== PATH) return void response.writeHead(404).end();
    handle(request, response);
  });
  return listening(server.listen(0, HOST));
}

function answer(response: ServerResponse, sub: string): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ sub }));
}

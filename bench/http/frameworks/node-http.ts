/** Bare node:http. Nobody is its usual plugin; fast-jwt with its cache is the quickest that one can put there by hand. */
import { createServer, type IncomingMessage } from "node:http";
import { createVerifier } from "fast-jwt";
import { type Applications, AUDIENCE, HOST, ISSUER, listening, NO_AUTH, NOBODY, PATH } from "../application.ts";
import { guardedByOurs } from "../ours.ts";

export const nodeHttp: Applications = {
  [NO_AUTH]: () => answering(() => NOBODY),

  ...guardedByOurs((authenticate) => answering(({ headers }) => authenticate(headers.authorization).sub)),

  "fast-jwt, its cache": ({ secret }) => {
    const verify = createVerifier({
      key: secret,
      algorithms: ["HS256"],
      allowedIss: ISSUER,
      allowedAud: AUDIENCE,
      cache: 1000,
      cacheKeyBuilder: (token) => token,
    });
    return answering(({ headers: { authorization = "" } }) => {
      const [scheme, token] = authorization.split(" ");
      return scheme === "Bearer" && token ? verify(token).sub : undefined;
    });
  },
};

function answering(subjectOf: (request: IncomingMessage) => unknown): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url !== PATH) return void response.writeHead(404).end();
    let sub: unknown;
    try {
      sub = subjectOf(request);
    } catch {}
    if (sub === undefined) return void response.writeHead(401).end();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ sub }));
  });
  return listening(server.listen(0, HOST));
}

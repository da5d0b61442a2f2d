/** Nothing but node:http: `node examples/node/server.ts`. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { authRoutes, requireAuth } from "latchkey/node";
import { auth } from "../auth.ts";
import { addNote, countNotes, notesOf } from "../notes.ts";

const user = requireAuth(auth);

const pages: Readonly<Record<string, RequestListener>> = {
  "GET /": requireAuth(auth, { optional: true })(async (request, response) => {
    const found = await request.auth?.user();
    answer(response, 200, { hello: found?.username ?? "stranger" });
  }),
  "GET /notes": user((request, response) => answer(response, 200, { notes: notesOf(request.auth.userId) })),
  "POST /notes": user(async (request, response) => {
    const notes = addNote(request.auth.userId, (await readJson(request))?.text);
    if (notes) answer(response, 201, { notes });
    else answer(response, 422, { error: "text: 1 to 200 characters" });
  }),
  "GET /statistics": requireAuth(auth, { roles: ["staff"] })((request, response) => {
    answer(response, 200, { notes: countNotes(), askedBy: request.auth.claims.roles });
  }),
};

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function readJson(request: IncomingMessage): Promise<{ text?: unknown } | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of request) {
      size += part.length;
      if (size > 10_000) return undefined;
      parts.push(part);
    }
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    return undefined; // no JSON, or the client has gone
  }
}

const routes = authRoutes(auth, { prefix: "/auth" });
const server = createServer((request, response) => {
  const page = pages[`${request.method} ${request.url?.split("?")[0]}`];
  if (page) page(request, response);
  else routes(request, response); // what is none of its endpoints is a 404
});
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) console.log(`node:http listens on http://127.0.0.1:${address.port}`);
});

/** Fastify: `node examples/fastify/server.ts`. */
import { fastify } from "fastify";
import { authOf, authRoutes, requireAuth } from "latchkey/fastify";
import { auth } from "../auth.ts";
import { addNote, countNotes, notesOf } from "../notes.ts";

const app = fastify();
await app.register(authRoutes(auth), { prefix: "/auth" });

const anybody = requireAuth(auth, { optional: true });

app.get("/", { onRequest: anybody }, async (request) => {
  const user = await authOf(request, anybody)?.user();
  return { hello: user?.username ?? "stranger" };
});

// A scope of its own: what is registered in it has passed the guard.
await app.register(async (scope) => {
  const user = requireAuth(auth);
  scope.addHook("onRequest", user);

  scope.get("/notes", (request) => ({ notes: notesOf(authOf(request, user).userId) }));

  scope.post<{ Body: { text?: unknown } | undefined }>("/notes", (request, reply) => {
    const notes = addNote(authOf(request, user).userId, request.body?.text);
    if (!notes) return reply.code(422).send({ error: "text: 1 to 200 characters" });
    return reply.code(201).send({ notes });
  });
});

const staff = requireAuth(auth, { roles: ["staff"] });
app.get("/statistics", { onRequest: staff }, (request) => ({
  notes: countNotes(),
  askedBy: authOf(request, staff).claims.roles,
}));

console.log(`Fastify listens on ${await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" })}`);

/** Hono: `node examples/hono/server.ts`. The application itself would run on Bun, Deno or a worker as well. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { authRoutes, requireAuth } from "latchkey/hono";
import { auth } from "../auth.ts";
import { addNote, countNotes, notesOf } from "../notes.ts";

const app = new Hono();
app.use(authRoutes(auth, { prefix: "/auth" }));

app.get("/", requireAuth(auth, { optional: true }), async (c) => {
  const user = await c.var.auth?.user();
  return c.json({ hello: user?.username ?? "stranger" });
});

app.get("/notes", requireAuth(auth), (c) => c.json({ notes: notesOf(c.var.auth.userId) }));

app.post("/notes", requireAuth(auth), async (c) => {
  const body = await c.req.json().catch(() => undefined);
  const notes = addNote(c.var.auth.userId, body?.text);
  return notes ? c.json({ notes }, 201) : c.json({ error: "text: 1 to 200 characters" }, 422);
});

app.get("/statistics", requireAuth(auth, { roles: ["staff"] }), (c) =>
  c.json({ notes: countNotes(), askedBy: c.var.auth.claims.roles }),
);

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`Hono listens on http://127.0.0.1:${port}`);
});

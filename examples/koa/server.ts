/** Koa: `node examples/koa/server.ts`. Koa has no router; a path here is a comparison. */
import Koa, { type Context, type Middleware } from "koa";
import { authRoutes, requireAuth } from "latchkey/koa";
import { auth } from "../auth.ts";
import { addNote, countNotes, notesOf } from "../notes.ts";

const app = new Koa();
app.use(authRoutes(auth, { prefix: "/auth" }));

const anybody = requireAuth(auth, { optional: true });
const user = requireAuth(auth);
const staff = requireAuth(auth, { roles: ["staff"] });

/** What comes after a guard knows who asks. */
const guards: Readonly<Record<string, Middleware>> = {
  "GET /": anybody as Middleware,
  "GET /notes": user as Middleware,
  "POST /notes": user as Middleware,
  "GET /statistics": staff as Middleware,
};

const pages: Readonly<Record<string, (context: Context) => Promise<void> | void>> = {
  async "GET /"(context) {
    const found = await context.state.auth?.user();
    context.body = { hello: found?.username ?? "stranger" };
  },
  "GET /notes"(context) {
    context.body = { notes: notesOf(context.state.auth.userId) };
  },
  async "POST /notes"(context) {
    const notes = addNote(context.state.auth.userId, (await readJson(context))?.text);
    context.status = notes ? 201 : 422;
    context.body = notes ? { notes } : { error: "text: 1 to 200 characters" };
  },
  "GET /statistics"(context) {
    context.body = { notes: countNotes(), askedBy: context.state.auth.claims.roles };
  },
};

async function readJson({ req }: Context): Promise<{ text?: unknown } | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of req) {
    size += part.length;
    if (size > 10_000) return undefined;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    return undefined;
  }
}

app.use((context, next) => guards[`${context.method} ${context.path}`]?.(context, next));
app.use((context) => pages[`${context.method} ${context.path}`]?.(context));

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) console.log(`Koa listens on http://127.0.0.1:${address.port}`);
});

/** Express: `node examples/express/server.ts`. */
import express, { type ErrorRequestHandler } from "express";
import { authOf, authRoutes, requireAuth } from "latchkey/express";
import { auth } from "../auth.ts";
import { addNote, countNotes, notesOf } from "../notes.ts";

const app = express();
app.use("/auth", authRoutes(auth));
app.use(express.json());

const user = requireAuth(auth);
const staff = requireAuth(auth, { roles: ["staff"] });
const anybody = requireAuth(auth, { optional: true });

app.get("/notes", user, (request, response) => {
  response.json({ notes: notesOf(authOf(request, user).userId) });
});

app.post("/notes", user, (request, response) => {
  const notes = addNote(authOf(request, user).userId, request.body?.text);
  if (notes) response.status(201).json({ notes });
  else response.status(422).json({ error: "text: 1 to 200 characters" });
});

app.get("/statistics", staff, (request, response) => {
  response.json({ notes: countNotes(), askedBy: authOf(request, staff).claims.roles });
});

app.get("/", anybody, async (request, response) => {
  const found = await authOf(request, anybody)?.user();
  response.json({ hello: found?.username ?? "stranger" });
});

// The application's own answer to errors; `status`, `code` and `headers` (the challenge) are where Express has them.
const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
  response
    .status(error.status ?? 500)
    .set(error.headers ?? {})
    .json({ error: error.expose ? error.message : "Something went wrong", code: error.code });
};
app.use(answerError);

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) console.log(`Express listens on http://127.0.0.1:${address.port}`);
});

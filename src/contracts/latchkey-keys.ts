/** Rows by which staff see the keys and have the next one sign. What can't be taken back (`latchkey keys compromise`) is a command's. */
import * as z from "zod";
import type { KeyInfo } from "../auth.ts";
import { route } from "../http/route.ts";
import { object, text, toInstant } from "./latchkey-shapes.ts";

const KeyAnswer = z.object({
  kid: z.string(),
  alg: z.string(),
  state: z
    .enum(["next", "active", "retiring", "retired", "compromised"])
    .describe(
      "next: published, signs nothing yet; active: signs; retiring: verifies what it has signed; the others are refused.",
    ),
  published_at: z.iso.datetime(),
  activated_at: z.iso.datetime().nullable(),
  retiring_at: z.iso.datetime().nullable(),
  verifies_until: z.iso.datetime().nullable(),
  retired_at: z.iso.datetime().nullable(),
  note: z.string().nullable().describe("Why it was retired before its time."),
});

const KeysAnswer = z.object({
  keys: z.array(KeyAnswer).describe("Oldest first. No answer has any of their material."),
});

const Rotation = object({
  from: text(
    "The kid of the key that is to stop signing. Where another has taken its place already, nothing is done.",
    {
      max: 256,
      example: "xhq…2Q",
    },
  ),
});

export const keyRoutes = [
  route({
    method: "GET",
    path: "/v1/keys",
    summary: "List the keys of access tokens, and what has become of them",
    guard: "staff",
    answer: KeysAnswer,
    group: "Staff",
    async handle({ auth }) {
      return { status: 200, body: { keys: (await auth.keys.list()).map(fromKey) } };
    },
  }),
  route({
    method: "POST",
    path: "/v1/keys/rotate",
    summary: "Have the next key sign from now on",
    guard: "staff",
    body: Rotation,
    answer: KeyAnswer,
    refusals: ["busy"],
    group: "Staff",
    async handle({ auth, identity, body }) {
      return { status: 200, body: fromKey(await auth.keys.rotate({ from: body.from, actorId: identity.userId })) };
    },
  }),
];

const instant = (seconds: number | undefined) => (seconds === undefined ? null : toInstant(seconds));

const fromKey = (key: KeyInfo): z.output<typeof KeyAnswer> => ({
  kid: key.kid,
  alg: key.alg,
  state: key.state,
  published_at: toInstant(key.publishedAt),
  activated_at: instant(key.activatedAt),
  retiring_at: instant(key.retiringAt),
  verifies_until: instant(key.verifiesUntil),
  retired_at: instant(key.retiredAt),
  note: key.note ?? null,
});

/**
 * Rows that take access tokens apart, for people. No answer has a signature in it, so none is of any use to who steals it: a page that
 * keeps its session in cookies shows what its token says and still never holds one.
 */
import * as z from "zod";
import { route } from "../http/route.ts";
import type { TokenExplanation } from "../jwt/index.ts";
import { MAX_TOKEN_LENGTH } from "../jwt/limits.ts";
import { object, text } from "./latchkey-shapes.ts";

const Explain = object({ token: text("The token, as it was received.", { max: MAX_TOKEN_LENGTH, example: "eyJ…" }) });

const ExplanationAnswer = z.object({
  accepted: z.boolean().describe("Whether this server's checks take it; whether its session has ended is not asked."),
  code: z.string().nullable().describe("The code of the refusal."),
  reason: z.string().nullable().describe("What precisely is wrong."),
  checks: z.array(
    z.object({
      name: z.string().describe("form, header, signature, claims, or the name of a claim."),
      outcome: z.enum(["passed", "failed", "not reached"]),
      problem: z.string().nullable(),
    }),
  ),
  judged_at: z.int().describe("Seconds, by the server's clock: what exp, nbf and iat were held against."),
  header: z.unknown().describe("What the token says of itself, as far as it can be read; anybody may have written it."),
  claims: z.unknown().describe("The same of its claims."),
});

export const tokenRoutes = [
  route({
    method: "GET",
    path: "/v1/users/me/token",
    summary: "What my access token says, without its signature",
    guard: "bearer",
    answer: ExplanationAnswer,
    group: "Tokens",
    async handle({ auth, accessToken }) {
      return { status: 200, body: fromExplanation(await auth.explain(accessToken ?? "")) };
    },
  }),
  route({
    method: "POST",
    path: "/v1/tokens/explain",
    summary: "Which checks a token passes or fails here, and why",
    guard: "bearer",
    body: Explain,
    answer: ExplanationAnswer,
    group: "Tokens",
    async handle({ auth, body }) {
      return { status: 200, body: fromExplanation(await auth.explain(body.token)) };
    },
  }),
];

const fromExplanation = (explanation: TokenExplanation): z.output<typeof ExplanationAnswer> => ({
  accepted: explanation.isAccepted,
  code: explanation.code ?? null,
  reason: explanation.reason ?? null,
  checks: explanation.checks.map(({ name, outcome, problem }) => ({ name, outcome, problem: problem ?? null })),
  judged_at: explanation.judgedAt,
  header: explanation.unverified.header ?? null,
  claims: explanation.unverified.claims ?? null,
});

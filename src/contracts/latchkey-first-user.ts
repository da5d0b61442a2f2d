/** The row by which the first user is made: for who holds the link that the server has shown on its terminal. */
import * as z from "zod";
import { route } from "../http/route.ts";
import { fromUser, REQUIRED_TO_REGISTER, Registration, text, toRegistration, UserAnswer } from "./latchkey-shapes.ts";

const FirstRegistration = z
  .object(
    { ...Registration.shape, token: text("What the link has behind its '#'.", { max: 200, example: "9Yk…" }) },
    { error: "the body must be a JSON object" },
  )
  .meta({ required: [...REQUIRED_TO_REGISTER, "token"] });

export const firstUserRoutes = [
  route({
    method: "POST",
    path: "/v1/first-user",
    summary: "Register the first user, who becomes staff, with the link that the server shows on its terminal",
    guard: "none",
    body: FirstRegistration,
    answer: UserAnswer,
    success: 201,
    refusals: ["username_taken", "email_taken", "busy", "link_invalid"],
    group: "Users",
    async handle({ auth, body }) {
      return { status: 201, body: fromUser(await auth.firstUser.register(body.token, toRegistration(body))) };
    },
  }),
];

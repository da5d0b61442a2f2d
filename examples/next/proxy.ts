import { signInProxy } from "latchkey/next";

/** An optimistic check: who carries no credential is sent to sign in. What protects the notes is behind it. */
export const proxy = signInProxy({ signInPath: "/login" });

export const config = { matcher: ["/notes/:path*"] };

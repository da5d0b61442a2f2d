import { authRoutes } from "latchkey/next";
import { auth } from "../../../lib/auth.ts";

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = authRoutes(auth, { prefix: "/auth" });

import type { NextConfig } from "next";

// Latchkey brings a native argon2 and reads files of its own, so it stays a package instead of being bundled.
const config: NextConfig = { serverExternalPackages: ["latchkey"] };

export default config;

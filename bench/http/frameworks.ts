/** Every application that is measured. */
import type { Applications, Framework } from "./application.ts";

/** Who measures one framework loads no other. */
const LOADERS: Readonly<Record<Framework, () => Promise<Applications>>> = {
  "node:http": async () => (await import("./frameworks/node-http.ts")).nodeHttp,
  Fastify: async () => (await import("./frameworks/fastify.ts")).fastifyApplications,
  Hono: async () => (await import("./frameworks/hono.ts")).hono,
  Express: async () => (await import("./frameworks/express.ts")).expressApplications,
  Koa: async () => (await import("./frameworks/koa.ts")).koa,
  NestJS: async () => (await import("./frameworks/nest.ts")).nest,
};

export const applicationsOf = (framework: Framework): Promise<Applications> => LOADERS[framework]();

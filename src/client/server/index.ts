/** `latchkey/client/server`: for servers that render pages for the client. */
export { forwardToAuth, readUser, type ServerOptions } from "./server-rendering.ts";

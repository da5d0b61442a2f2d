/** `latchkey/client/node`: what the client needs of Node alone. */
export { fileStorage } from "./file-storage.ts";

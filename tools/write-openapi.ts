/** Accepts the wire contract as it is: writes docs/openapi.json, with which the tests compare what is served. */
import { writeFileSync } from "node:fs";
import { openapiText } from "./openapi-document.ts";

writeFileSync("docs/openapi.json", await openapiText());

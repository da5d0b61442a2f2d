/** What the OpenAPI document says of both Django dialects. */
import * as z from "zod";
import type { DialectDocument } from "../http/route.ts";
import type { Schema } from "../http/schema.ts";

const detail = z
  .object({ detail: z.string() })
  .meta({ id: "Detail", description: "As Django REST Framework says it." });
const fieldErrors = z.record(z.string(), z.array(z.string())).meta({
  id: "FieldErrors",
  description: "What is wrong, by field.",
  examples: [{ password: ["This field is required."] }],
});

/** A body that is refused: fields in Django's words, or that it can't be read. */
export const BAD_BODY = z.union([fieldErrors, detail]);
export const DETAIL: Schema = detail;

/** What any row of a Django dialect may answer. */
export const DJANGO_DOCUMENT: DialectDocument = {
  mediaTypes: ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
  hasTrailingSlash: true,
  answers: {
    400: { description: "What can't be read, or a field that is missing or wrong.", schema: BAD_BODY },
    405: { description: "Another method than this.", schema: detail, headers: ["Allow"] },
    413: { description: "A body over 64 KiB.", schema: detail },
    415: { description: "A content type that is not taken.", schema: detail },
    429: { description: "Too many attempts.", schema: detail, headers: ["Retry-After"] },
    503: { description: "Busy, or the store does not answer.", schema: detail, headers: ["Retry-After"] },
  },
};

/** An access token, and a refresh token where one is handed out. */
export const tokensAnswer = (names: readonly ("access" | "refresh")[]): Schema =>
  z.object(Object.fromEntries(names.map((name) => [name, z.string().meta({ examples: ["eyJ…"] })])));

/**
 * Bodies as Django REST Framework takes them: JSON, form-encoded and multipart, none at all as an empty one.
 * JSON is read as strictly as everywhere here: two members of one name are refused, where Django takes the last.
 */
import { AuthError } from "../errors.ts";
import { readBodyBytes } from "../http/body.ts";
import { readJson } from "../json.ts";

/** Stands for an uploaded file, which no field of ours takes. */
const FILE = Symbol("a file");

/**
 * Reads a body.
 * @returns what the JSON says, or the fields of a form, of several of one name the last.
 * @throws AuthError `media_type_unsupported` 415, `json_invalid` and `request_invalid` 400, `body_too_large` 413, worded as Django does.
 */
export async function readDjangoBody(request: Request, limit?: number): Promise<unknown> {
  const bytes = await readBodyBytes(request, limit);
  if (bytes.length === 0) return {};
  const contentType = request.headers.get("content-type") ?? "";
  const type = /^[^;]*/.exec(contentType)?.[0].trim().toLowerCase() ?? "";
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1]?.toLowerCase();
  const isCoded = (request.headers.get("content-encoding") ?? "identity").toLowerCase() !== "identity";
  if (!read || isCoded || (charset !== undefined && !["utf-8", "utf8", "us-ascii"].includes(charset))) {
    throw new AuthError("media_type_unsupported", {
      detail: `Unsupported media type "${contentType.slice(0, 200)}" in request.`,
      reason: "a content type, coding or charset not taken",
    });
  }
  return read(bytes, contentType);
}

const READERS: Readonly<Record<string, (bytes: Uint8Array, contentType: string) => unknown>> = {
  "application/json"(bytes) {
    const { value, problem } = readJson(bytes);
    if (problem === undefined) return value;
    throw new AuthError("json_invalid", {
      detail: `JSON parse error - the body ${problem}`,
      reason: `the body ${problem}`,
    });
  },

  "application/x-www-form-urlencoded"(bytes) {
    return toFields(new URLSearchParams(Buffer.from(bytes).toString("utf8")));
  },

  async "multipart/form-data"(bytes, contentType) {
    try {
      const form = await new Response(Buffer.from(bytes), { headers: { "content-type": contentType } }).formData();
      return toFields(form);
    } catch {
      throw new AuthError("request_invalid", {
        detail: "Multipart form parse error - the body is not what its Content-Type says.",
        reason: "a multipart body that can't be read",
      });
    }
  },
};

function toFields(entries: Iterable<[string, unknown]>): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const [name, value] of entries) fields[name] = typeof value === "string" ? value : FILE;
  return fields;
}

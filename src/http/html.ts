/** HTML as a template: what is put into it is text, unless it is HTML already. */

export interface Html {
  readonly html: string;
}

export type Part = Html | string | number | readonly Part[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const toText = (part: Part): string => {
  if (part === undefined) return "";
  if (typeof part === "object") return "html" in part ? part.html : part.map(toText).join("");
  return String(part).replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
};

/** Attributes are to be written in quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.map((string, i) => string + (i < parts.length ? toText(parts[i]) : "")).join("") };
}

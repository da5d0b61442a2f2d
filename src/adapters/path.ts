/** The path of a request as its client wrote it. */

/** The path of a URL in origin form. */
export function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

/**
 * True for a path that becomes another one as soon as it is part of a URL: one with dot segments or backslashes (WHATWG URL §4.4). No path of ours is
 * written so, and who filters paths in front of us need not know every spelling of them.
 */
export function isRewrittenByUrl(path: string): boolean {
  return /\\|(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(path);
}

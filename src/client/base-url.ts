/** The address of the auth server, read strictly: a wrong one shows at once, not at the first login. */

/** @returns without a trailing slash. @throws TypeError. */
export function readBaseUrl(baseUrl: string): string {
  let url: URL | undefined;
  try {
    url = new URL(baseUrl);
  } catch {}
  // "localhost:8000" is a URL too, of a scheme called "localhost"; and a user, a query or a fragment have no place in it.
  if (!url || !/^https?:[^@?#]+$/.test(url.href)) {
    throw new TypeError(`baseUrl must be like "https://auth.example.com", not "${baseUrl}"`);
  }
  return url.href.replace(/\/+$/, "");
}

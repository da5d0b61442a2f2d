/** The address of the auth server, read strictly: a wrong one shows at once, not at the first login. */

/** @returns without a trailing slash. @throws TypeError. */
export function readBaseUrl(baseUrl: string): string {
  let url: URL | undefined;
  try {
    url = new URL(baseUrl);
  } catch {}
  // "localhost:8000" is a URL too, of a scheme called "localhost".
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new TypeError(
      `baseUrl must be like "https://auth.example.com" (http or https, no user, query or fragment), not ${JSON.stringify(baseUrl)}`,
    );
  }
  return url.href.replace(/\/+$/, "");
}

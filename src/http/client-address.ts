/**
 * The client's address: the socket's, or what the outermost trusted proxy wrote.
 * X-Forwarded-For is what a stranger says, but for the last entries, which our own proxies appended: with `n` of them the
 * n-th from the right is the client.
 */
import { canonicalAddress } from "../limits/network.ts";

/**
 * @param socketAddress the peer of the connection.
 * @param forwardedFor the X-Forwarded-For header, several joined with commas.
 * @param proxyCount how many proxies of ours stand in front; with 0 the header is ignored.
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | null,
  proxyCount: number,
): string | undefined {
  if (proxyCount > 0 && forwardedFor) {
    const hops = forwardedFor.split(",");
    // Fewer entries than proxies: some proxy did not write its own, and the first is the best there is.
    const hop = canonicalAddress(hops[Math.max(0, hops.length - proxyCount)] as string);
    if (hop) return hop;
  }
  return socketAddress === undefined ? undefined : canonicalAddress(socketAddress);
}

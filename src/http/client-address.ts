/**
 * The client's address: the socket's, or what the outermost trusted proxy wrote.
 * X-Forwarded-For is what a stranger says, but for the last entries, which our own proxies appended: with `n` of them the
 * n-th from the right is the client.
 */
import { isIP } from "node:net";

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
    const hop = toAddress(hops[Math.max(0, hops.length - proxyCount)] as string);
    if (hop) return hop;
  }
  return socketAddress === undefined ? undefined : toAddress(socketAddress);
}

/** One spelling per address: no port, no brackets, no zone, IPv4 as IPv4. */
function toAddress(text: string): string | undefined {
  let address = text.trim().toLowerCase();
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address);
  if (bracketed) address = bracketed[1] as string;
  else if (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(address)) address = address.slice(0, address.indexOf(":"));
  address = address.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "");
  const version = isIP(address);
  if (version === 4) return address;
  if (version !== 6) return undefined;
  const shortest = new URL(`http://[${address}]`).hostname.slice(1, -1);
  // The same address in the other spellings of the same prefix.
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(shortest);
  if (!mapped) return shortest;
  const [high, low] = [Number.parseInt(mapped[1] as string, 16), Number.parseInt(mapped[2] as string, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

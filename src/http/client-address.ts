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

export interface AddressOptions {
  /** What the application knows of a request's client. */
  readonly clientAddress?: ((request: Request) => string | null | undefined) | undefined;
  readonly proxyCount: number;
}

/** @returns the address of a request's client; where nobody knows one, that is said, once. */
export function createAddressReader({ clientAddress: knownOf, proxyCount }: AddressOptions) {
  let isTold = false;
  return (request: Request, socketAddress: string | undefined): string | undefined => {
    // What the application says is the client's own: no header has a word beside it.
    const known = knownOf?.(request) ?? undefined;
    const forwardedFor = known === undefined ? request.headers.get("x-forwarded-for") : null;
    const address = clientAddress(known ?? socketAddress, forwardedFor, proxyCount);
    if (address === undefined && !isTold) {
      isTold = true;
      warn(
        "requests come without their client's address, so guesses at passwords are counted for each account and not for each network: " +
          "give the handler { ip } as its second argument, or the option clientAddress, or behind proxies proxyCount",
      );
    }
    return address;
  };
}

/** Where there is node's process; other runtimes have no place for warnings but the console. */
function warn(message: string): void {
  if (typeof globalThis.process?.emitWarning === "function") {
    process.emitWarning(message, { type: "LatchkeyWarning", code: "LATCHKEY_NO_ADDRESS" });
  } else console.warn(`latchkey: ${message}`);
}

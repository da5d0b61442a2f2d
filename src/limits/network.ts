/** Addresses: one spelling for each, and what counts as one of them. */
import { isIP } from "node:net";

/** One spelling per address: no port, no brackets, no zone, IPv4 as IPv4. */
export function canonicalAddress(text: string): string | undefined {
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

/** IPv4 as it is, IPv6 by its /64: whoever has one address of that has all of them. @returns `undefined` for what is no address. */
export function networkOf(ip: string | undefined): string | undefined {
  const address = ip === undefined ? undefined : canonicalAddress(ip);
  if (address === undefined || !address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...Array<string>(8 - before.length - behind.length).fill("0"), ...behind];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/**
 * RSA keys of the library in many smart cards and TPMs made before late 2017, which can be factored (CVE-2017-15361, "ROCA").
 * Their primes are powers of 65537 modulo every small prime, and so is the modulus: by that it is known, without being factored.
 * One in two hundred million others looks alike by chance.
 */

const GENERATOR = 65_537;
/** The powers of 65537 modulo the primes up to here tell enough. */
const LARGEST_PRIME = 167;

/** By prime. Made when the first RSA key comes. */
let powersByPrime: ReadonlyMap<number, ReadonlySet<number>> | undefined;

/** @param modulus n, big-endian. */
export function isRocaModulus(modulus: Uint8Array): boolean {
  powersByPrime ??= makePowers();
  const n = BigInt(`0x${Buffer.from(modulus).toString("hex") || "0"}`);
  for (const [prime, powers] of powersByPrime) if (!powers.has(Number(n % BigInt(prime)))) return false;
  return true;
}

function makePowers(): ReadonlyMap<number, ReadonlySet<number>> {
  const found = new Map<number, ReadonlySet<number>>();
  for (let n = 3; n <= LARGEST_PRIME; n += 2) {
    if ([...found.keys()].some((prime) => n % prime === 0)) continue;
    const powers = new Set<number>();
    for (let power = 1; !powers.has(power); power = (power * GENERATOR) % n) powers.add(power);
    found.set(n, powers);
  }
  return found;
}

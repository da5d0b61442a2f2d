/**
 * RSA keys of the library in many smart cards and TPMs made before late 2017, which can be factored (CVE-2017-15361, "ROCA").
 * Their primes are powers of 65537 modulo every small prime, and so is the modulus: by that it is known, without being factored.
 * One in two hundred million others looks alike by chance.
 */

const GENERATOR = 65_537;
/** The powers of 65537 modulo the odd primes up to here tell enough. */
const LARGEST_PRIME = 167;

const powersByPrime = new Map<number, ReadonlySet<number>>();
for (let n = 3; n <= LARGEST_PRIME; n += 2) {
  const isPrime = ![...powersByPrime.keys()].some((prime) => n % prime === 0);
  if (isPrime) powersByPrime.set(n, powersModulo(n));
}

function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * GENERATOR) % prime) powers.add(power);
  return powers;
}

/** @param modulus n, big-endian. */
export function isRocaModulus(modulus: Uint8Array): boolean {
  const n = BigInt(`0x${Buffer.from(modulus).toString("hex")}`);
  return [...powersByPrime].every(([prime, powers]) => powers.has(Number(n % BigInt(prime))));
}

/**
 * Which 32 bytes are a usable Ed25519 public key.
 * Node takes any 32 bytes. For the few points of small order there are signatures that fit every message, so such a "key" would vouch for
 * anything (RFC 8725 §3.4, RFC 8032 §5.1.3 for the encoding).
 */

const P = 2n ** 255n - 19n;
/** d of the curve −x² + y² = 1 + d·x²·y² (RFC 8032 §5.1): −121665/121666. */
const D = mod(-121665n * power(121666n, P - 2n));
/** y of the points whose order divides 8, apart from sign: 1, −1, 0 (order 1, 2, 4), and ±y₈ (order 8). */
const SMALL_ORDER_Y = smallOrderY();

/**
 * Judges a public key.
 * @param encoded 32 bytes, little-endian y with the sign of x in the top bit.
 * @returns what is wrong with it, or `undefined`.
 */
export function ed25519Problem(encoded: Uint8Array): string | undefined {
  let y = 0n;
  for (let i = encoded.length - 1; i >= 0; i--) y = (y << 8n) | BigInt(encoded[i] as number);
  y &= 2n ** 255n - 1n;
  if (y >= P) return "is not canonically encoded";
  if (SMALL_ORDER_Y.has(y)) return "is a point of small order, for which anyone can forge signatures";
  if (!isSquare(xSquared(y))) return "is not a point of the curve";
  return undefined;
}

/** x² = (y² − 1) / (d·y² + 1). */
function xSquared(y: bigint): bigint {
  const y2 = mod(y * y);
  return mod((y2 - 1n) * power(D * y2 + 1n, P - 2n));
}

/** Points of order 8 double to one of order 4, whose y is 0; there, y² = −x² and so d·y⁴ + 2·y² − 1 = 0. */
function smallOrderY(): ReadonlySet<bigint> {
  const found = new Set([0n, 1n, P - 1n]);
  const root = squareRoot(mod(1n + D));
  for (const signed of [root, mod(-root)]) {
    const y2 = mod((signed - 1n) * power(D, P - 2n));
    if (!isSquare(y2)) continue;
    const y = squareRoot(y2);
    found.add(y).add(mod(-y));
  }
  return found;
}

function isSquare(value: bigint): boolean {
  return value === 0n || power(value, (P - 1n) / 2n) === 1n;
}

/** A root of a square, where p ≡ 5 (mod 8) (RFC 8032 §5.1.3). */
function squareRoot(square: bigint): bigint {
  const candidate = power(square, (P + 3n) / 8n);
  return mod(candidate * candidate) === mod(square) ? candidate : mod(candidate * power(2n, (P - 1n) / 4n));
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

/**
 * Which 32 bytes are a usable Ed25519 public key.
 * Node takes any 32 bytes. For the few points of small order there are signatures that fit every message, so such a "key" would vouch for
 * anything (RFC 8725 §3.4, RFC 8032 §5.1.3 for the encoding).
 */

const P = 2n ** 255n - 19n;
/** d of the curve −x² + y² = 1 + d·x²·y², which is −121665/121666 (RFC 8032 §5.1). */
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
/** y of the points of order 8, apart from sign. */
const Y8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
/** y of all points whose order divides 8: 1 has order 1, −1 order 2, 0 order 4. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([1n, P - 1n, 0n, Y8, P - Y8]);

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
  if (!isOnCurve(y)) return "is not a point of the curve";
  return undefined;
}

/** True when there is an x: x² = (y² − 1) / (d·y² + 1) has a root. */
function isOnCurve(y: bigint): boolean {
  const numerator = (y * y - 1n) % P;
  const denominator = (D * y * y + 1n) % P;
  // a/b is a square exactly when a·b is, because they differ by b². Euler's criterion tells (P is a prime).
  return power((numerator * denominator) % P, (P - 1n) / 2n) === 1n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

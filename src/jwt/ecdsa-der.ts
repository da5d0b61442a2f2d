/** ECDSA signatures as key services write them: SEQUENCE { INTEGER r, INTEGER s } in DER (RFC 3279 §2.2.3). Tokens want R ‖ S (RFC 7518 §3.4). */

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * Turns a DER signature into R ‖ S.
 * @param coordinateSize bytes of each of the two.
 * @returns `undefined` for anything that is not such a signature.
 */
export function rawEcdsaSignature(der: Uint8Array, coordinateSize: number): Uint8Array | undefined {
  const body = readElement(der, 0, SEQUENCE);
  if (!body || body.end !== der.length) return undefined;
  const r = readElement(der, body.start, INTEGER);
  const s = r && readElement(der, r.end, INTEGER);
  if (!s || s.end !== der.length) return undefined;
  const raw = new Uint8Array(2 * coordinateSize);
  for (const [index, { start, end }] of [r, s].entries()) {
    // An integer has a zero byte in front where its top bit would otherwise be the sign.
    const magnitude = der.subarray(der[start] === 0 ? start + 1 : start, end);
    if (magnitude.length > coordinateSize) return undefined;
    raw.set(magnitude, (index + 1) * coordinateSize - magnitude.length);
  }
  return raw;
}

/** Where the content of the element at `at` lies. Lengths are in one byte, or in two where the first is 0x81 (P-521). */
function readElement(der: Uint8Array, at: number, tag: number): { start: number; end: number } | undefined {
  if (der[at] !== tag) return undefined;
  const isLong = der[at + 1] === 0x81;
  const length = der[isLong ? at + 2 : at + 1];
  if (length === undefined || (!isLong && length >= 0x80)) return undefined;
  const start = at + (isLong ? 3 : 2);
  return start + length <= der.length ? { start, end: start + length } : undefined;
}

/** JSON Web Keys as they are written (RFC 7517 §4). */

/** A JSON Web Key. Members that a key does not have are absent. */
export interface Jwk {
  readonly kty?: string;
  readonly alg?: string;
  readonly kid?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly [member: string]: unknown;
}

/** A set of JSON Web Keys (RFC 7517 §5). */
export interface Jwks {
  readonly keys: readonly Jwk[];
}

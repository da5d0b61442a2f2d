/** `latchkey/jwt`: keys, signing and verifying tokens (RFC 7515, 7517, 7518, 7519, 8725, 9068). It imports nothing from npm. */
export { AuthError } from "../errors.ts";
export { type Algorithm, algorithms, type PairAlgorithm, type SecretAlgorithm } from "./algorithms.ts";
export type { Verified } from "./application-claims.ts";
export { type Claims, NO_AUDIENCE, NO_ISSUER, UNTYPED } from "./claims.ts";
export { combineVerifiers } from "./combine-verifiers.ts";
export { type CheckExplanation, explainToken, type TokenExplanation } from "./explain-token.ts";
export {
  exposePrivateJwk,
  exposePrivatePem,
  toPublicJwk,
  toPublicKey,
  toPublicPem,
  toThumbprint,
} from "./export-key.ts";
export { createExternalKey, type ExternalKey, type ExternalKeyOptions } from "./external-key.ts";
export { type GenerateOptions, generateKey } from "./generate-key.ts";
export { type ImportOptions, importKey, type KeySource } from "./import-key.ts";
export type { Jwk, Jwks } from "./jwk.ts";
export type { Key, KeyType, PrivateKey, PublicKey, SecretKey } from "./key.ts";
export { createKeySet, type KeySet, type KeySetOptions, toJwks } from "./key-set.ts";
export { allowUnscopedTokensOf } from "./legacy-policies.ts";
export type { PolicyOptions } from "./policy.ts";
export { readJwks } from "./read-jwks.ts";
export { createRemoteKeySet, type RemoteKeySet, type RemoteKeySetOptions } from "./remote-key-set.ts";
export { createRevocationList, type RevocationList, type RevocationListOptions } from "./revocation-list.ts";
export { type AsyncSigner, createSigner, type IssuedClaims, type Signer, type SignerOptions } from "./signer.ts";
export type { StandardSchema } from "./standard-schema.ts";
export { type AsyncVerifier, createVerifier, type Verifier, type VerifierOptions } from "./verifier.ts";

/** What the types promise, checked by `tsc --noEmit`: every line here that must not compile says so. */
import { z } from "zod";
import {
  combineVerifiers,
  createExternalKey,
  createKeySet,
  createRemoteKeySet,
  createSigner,
  createVerifier,
  explainToken,
  generateKey,
  importKey,
  NO_AUDIENCE,
  NO_ISSUER,
  type PrivateKey,
  type PublicKey,
  type SecretKey,
  type TokenExplanation,
  toPublicJwk,
  toPublicKey,
} from "../../src/jwt/index.ts";

const policy = { issuer: "https://auth.example.com", audience: "https://api.example.com" } as const;

export function keysHaveTheTypeOfTheirAlgorithm(): void {
  const secret: SecretKey = generateKey("HS256");
  const pair: PrivateKey = generateKey("ES256");
  const publicKey: PublicKey = importKey("", { alg: "RS256", type: "public" });
  const either: PrivateKey | PublicKey = importKey("", { alg: "RS256" });
  // @ts-expect-error a secret is no key of a pair
  const wrong: PrivateKey = secret;
  // @ts-expect-error nor the other way round
  const alsoWrong: SecretKey = pair;
  // @ts-expect-error what may be public can't be taken for private
  const notSure: PrivateKey = either;
  // @ts-expect-error a secret has no public half
  toPublicJwk(secret);
  // @ts-expect-error "none" is no algorithm
  generateKey("none");
  // @ts-expect-error the algorithm is stated
  importKey("", {});
  const alg: "HS256" | "HS384" | "HS512" = secret.alg;
  return void [publicKey, wrong, alsoWrong, notSure, alg];
}

export async function theKeySetDecidesWhetherAnswersArePromises(): Promise<void> {
  const key = generateKey("ES256");
  const local = createKeySet([key]);
  const external = createKeySet([createExternalKey({ publicKey: toPublicKey(key), sign: async (bytes) => bytes })]);
  const remote = createRemoteKeySet("https://auth.example.com/jwks", { algorithms: ["ES256"] });

  const token: string = createSigner({ keys: local, ...policy, ttl: "15m" }).sign({ sub: "42" });
  const later: Promise<string> = createSigner({ keys: external, ...policy, ttl: "15m" }).sign({ sub: "42" });
  // @ts-expect-error an external key signs later
  const notYet: string = createSigner({ keys: external, ...policy, ttl: "15m" }).sign({ sub: "42" });
  // @ts-expect-error a remote key set has no private keys
  createSigner({ keys: remote, ...policy, ttl: "15m" });

  const sub: string = createVerifier({ keys: local, ...policy }).verify(token).sub;
  const verifiesAtOnce: string = createVerifier({ keys: external, ...policy }).verify(token).sub;
  const remoteVerifier = createVerifier({ keys: remote, ...policy });
  const claims = await remoteVerifier.verify(token);
  // @ts-expect-error fetched keys answer later
  const tooEarly: string = remoteVerifier.verify(token).sub;

  const both: Promise<{ sub: string }> = combineVerifiers([
    createVerifier({ keys: local, ...policy }),
    remoteVerifier,
  ]).verify(token);
  const explanation: TokenExplanation = explainToken(token, createVerifier({ keys: local, ...policy }));
  return void [later, notYet, sub, verifiesAtOnce, claims, tooEarly, both, explanation];
}

export function claimsHaveTheTypeOfTheirSchema(token: string): void {
  const keys = createKeySet([generateKey("HS256")]);
  const schema = z.object({ role: z.enum(["admin", "user"]) });
  const verified = createVerifier({ keys, ...policy, claims: schema }).verify(token);
  const role: "admin" | "user" = verified.role;
  const exp: number = verified.exp;
  const plain = createVerifier({ keys, ...policy }).verify(token);
  const unknownClaim: unknown = plain.role;
  // @ts-expect-error without a schema nothing is known about it
  const notKnown: string = plain.role;
  // @ts-expect-error claims are not for changing
  plain.sub = "1";
  return void [role, exp, unknownClaim, notKnown];
}

export function policiesAreNamedInFull(): void {
  const keys = createKeySet([generateKey("HS256")]);
  createVerifier({ keys, issuer: NO_ISSUER, audience: NO_AUDIENCE });
  // @ts-expect-error leaving the audience out is no way to say that there is none
  createVerifier({ keys, issuer: "x" });
  // @ts-expect-error nor is false
  createVerifier({ keys, issuer: "x", audience: false });
  // @ts-expect-error nor can the one be taken for the other
  createVerifier({ keys, issuer: NO_AUDIENCE, audience: NO_ISSUER });
  // @ts-expect-error a token is about somebody
  createSigner({ keys, ...policy, ttl: "15m" }).sign({});
}

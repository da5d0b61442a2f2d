/**
 * Whoever wants in: keys of their own, and an address where these are served. A token that names this address (`jku`, `x5u`, `iss`, `kid`) is a lure:
 * an application that asks there lets the token say whom to trust, or can be sent to any address within its network, whatever it answers (RFC 8725 §3.10).
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { generateKey, type Jwk, type PrivateKey, type SecretKey, toPublicJwk } from "../jwt/index.ts";
import { selfSignedCertificate } from "./self-signed-certificate.ts";

export interface Attacker {
  readonly key: PrivateKey;
  readonly jwk: Jwk;
  /** DER. */
  readonly certificate: Buffer;
  /** Where the keys are: an origin. */
  readonly origin: string;
}

export interface ListeningAttacker extends Attacker {
  /** The first segments of the paths that somebody asked for; `TLS` where somebody began to speak TLS. */
  readonly visits: ReadonlySet<string>;
  stop(): void;
}

/** Stands for a path where a connection got no further than that, since there is no certificate that anybody would believe. */
export const TLS = "(tls)";

/** @param victim the application's own key. The attacker's is of the same algorithm and name, so that nothing else gives it away. */
export function createAttacker(victim: SecretKey | PrivateKey, origin = "https://attacker.example"): Attacker {
  const alg = victim.type === "private" ? victim.alg : "RS256";
  const key = generateKey(alg, { kid: victim.kid });
  return { key, jwk: toPublicJwk(key), certificate: selfSignedCertificate(key), origin };
}

/** The same with a server, on this machine's loopback and at any port. */
export async function startAttacker(victim: SecretKey | PrivateKey): Promise<ListeningAttacker> {
  const visits = new Set<string>();
  const server = createServer((request, response) => {
    const [, lure = ""] = (request.url ?? "").split("/");
    visits.add(lure);
    const { type, body } = answerOf(request.url ?? "");
    response.writeHead(200, { "content-type": type }).end(body);
  });
  server.on("clientError", (_error, socket) => {
    visits.add(TLS);
    socket.destroy();
  });
  const attacker = createAttacker(victim, `http://127.0.0.1:${await portOf(server)}`);

  function answerOf(url: string): { type: string; body: string } {
    if (url.endsWith(".pem")) return { type: "application/x-pem-file", body: pemOf(attacker.certificate) };
    if (!url.includes("/.well-known/") || url.endsWith("jwks.json")) {
      return { type: "application/json", body: JSON.stringify({ keys: [attacker.jwk] }) };
    }
    const issuer = attacker.origin + url.slice(0, url.indexOf("/.well-known/"));
    return { type: "application/json", body: JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks.json` }) };
  }

  return {
    ...attacker,
    visits,
    stop() {
      server.close();
      // An application that keeps its connections would hold the test's process.
      server.closeAllConnections();
    },
  };
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const pemOf = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;

/** Secrets as they are written down: one, or several with their numbers, the one that makes tokens first: `2:newer 1:older`. */
import { type NumberedSecret, type RootSecret, secretProblem } from "../secrets.ts";

/** @throws Error whose message follows the name of what was read. */
export function readSecrets(text: string): RootSecret {
  if (!/^\d+:\S+(?:\s+\d+:\S+)*$/.test(text)) return checked(text);
  const secrets = text.split(/\s+/).map((entry): NumberedSecret => {
    const number = Number(entry.slice(0, entry.indexOf(":")));
    if (!Number.isInteger(number) || number < 1 || number > 65_535) {
      throw new Error("must number its secrets from 1 to 65535, as in: 2:newer 1:older");
    }
    return { number, secret: checked(entry.slice(entry.indexOf(":") + 1)) };
  });
  if (new Set(secrets.map(({ number }) => number)).size < secrets.length) {
    throw new Error("gives two secrets one number");
  }
  return secrets;
}

/** What `readSecrets` reads. */
export const writeSecrets = (secrets: readonly NumberedSecret[]): string =>
  secrets.map(({ number, secret }) => `${number}:${secret}`).join(" ");

function checked(secret: string): string {
  const problem = secretProblem(secret);
  if (problem) throw new Error(problem);
  return secret;
}

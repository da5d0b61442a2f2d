/**
 * The process that measures what it costs to refuse tokens made to hurt: as long as a token may be (8 KiB), or longer.
 * The yardstick is verifying a good token of ordinary size in the same round; whoever floods a server with forgeries
 * should gain nothing over sending good tokens.
 */
import { createHmac, randomBytes } from "node:crypto";
import { answerParent } from "../child.ts";
import { type Case, type MeasuringOptions, measureInterleaved, type Series } from "../measure.ts";
import { algorithmNamed } from "./algorithms.ts";
import { type Contender, type Operation, OURS, OURS_CACHED, RAW, toCase } from "./contender.ts";
import { type Field, fieldFor } from "./contenders.ts";

export interface HostileInput {
  readonly entry: string;
  readonly measuring: MeasuringOptions;
}

/**
 * `checked`: short enough that the signature is checked, the costliest there is; `limit`: as long as a token may be;
 * `longer`: beyond that, where the length alone decides.
 */
export type HostileSize = "checked" | "limit" | "longer";

export interface HostileForm {
  readonly form: string;
  readonly length: number;
  readonly size: HostileSize;
}

export interface HostileResult {
  readonly forms: readonly HostileForm[];
  /** By contender: what a good token costs, then every form in the order of `forms`. */
  readonly contenders: readonly { readonly name: string; readonly good: Series; readonly refused: readonly Series[] }[];
  /** One HMAC over the input of a good token. */
  readonly raw: Series;
  /** One HMAC over as much as a token may hold: no one refuses a well-formed forgery of that length for much less. */
  readonly rawAtLimit: Series;
}

const LIMIT = 8 * 1024; // the longest token that is looked at
/** The most claims, encoded, over which a verifier checks a signature unless it is told otherwise. */
const CLAIMS_LIMIT = 4 * 1024;
const CONTENDERS = [OURS, OURS_CACHED, "fast-jwt", "jsonwebtoken, KeyObject", "jose", "hono/jwt, CryptoKey"];
/** Distinct tokens of one form: fewer of them where they are long. */
const VARIANTS = 16;

interface Attack extends HostileForm {
  readonly tokens: readonly string[];
}

await answerParent(async ({ entry, measuring }: HostileInput, progress): Promise<HostileResult> => {
  const field = await fieldFor(algorithmNamed("HS256"), entry);
  const attacks = attacksOn(field);
  const raw = find(field.contenders, RAW).verify!;
  const chosen = CONTENDERS.map((name) => ({ name, verify: find(field.contenders, name).verify! }));
  for (const { name, verify } of chosen) await proveRefusals(name, verify, attacks);

  const longest = Array.from({ length: VARIANTS }, () => letters(LIMIT));
  const cases: Case[] = [
    toCase(RAW, raw, field.tokens),
    toCase("raw at the limit", { ...raw, texts: longest }, longest),
  ];
  for (const { name, verify } of chosen) {
    cases.push(toCase(`${name}: good`, verify, field.tokens));
    for (const { form, tokens } of attacks) cases.push(toCase(`${name}: ${form}`, refusing(verify), tokens));
  }
  progress("hostile tokens");
  const [rawSeries, rawAtLimit, ...series] = await measureInterleaved(cases, measuring);
  const stride = attacks.length + 1;
  const contenders = chosen.map(({ name }, index) => {
    const [good, ...refused] = series.slice(index * stride, (index + 1) * stride);
    return { name, good: good!, refused };
  });
  return { forms: attacks.map(({ tokens: _, ...form }) => form), contenders, raw: rawSeries!, rawAtLimit: rawAtLimit! };
});

function attacksOn({ key, tokens }: Field): Attack[] {
  const [header] = tokens[0]!.split(".") as [string];
  const forms: readonly [form: string, length: number, make: (length: number) => string][] = [
    ["forged, 4 KiB of claims", header.length + CLAIMS_LIMIT + 45, (length) => forgedOfLength(header, length)],
    ["forged signature", LIMIT, (length) => forgedOfLength(header, length)],
    ["forged signature of the wrong length", LIMIT, (length) => `${header}.QQ.${letters(length - header.length - 4)}`],
    ["alg none", LIMIT, (length) => `${toText('{"alg":"none"}')}.${letters(length - 21)}.`],
    ["unknown kid", LIMIT, (length) => forged(`${longHeader(length / 2)}.${letters(length / 2 - 60)}`)],
    ["header nested deep", LIMIT, (length) => forged(`${toText("[".repeat((length * 3) / 4 - 60))}.e30`)],
    ["header of many names", LIMIT, (length) => forged(`${manyNames((length * 3) / 4 - 60)}.e30`)],
    ["no dots", LIMIT, letters],
    ["signature only", LIMIT, (length) => `..${letters(length - 2)}`],
    ["nothing but dots", LIMIT, (length) => ".".repeat(length)],
    ["not base64url", LIMIT, (length) => `${header}.${"%".repeat(length - header.length - 45)}.${letters(43)}`],
    ["not ASCII", LIMIT, (length) => `${header}.${"é".repeat(length - header.length - 45)}.${letters(43)}`],
    ["validly signed but 9 KiB", 9 * 1024, (length) => signed(key.privateText, header, length)],
    ["1 MiB without a dot", 1024 * 1024, letters],
    ["1 MiB of signature", 1024 * 1024, (length) => `${header}.e30.${letters(length - header.length - 5)}`],
    ["validly signed but 1 MiB", 1024 * 1024, (length) => signed(key.privateText, header, length)],
  ];
  return forms.map(([form, length, make]) => ({
    form,
    length,
    size: length > LIMIT ? "longer" : length === LIMIT ? "limit" : "checked",
    tokens: Array.from({ length: length > 100_000 ? 4 : VARIANTS }, () => make(length)),
  }));
}

/** Everything right but the MAC, which is 43 random characters. */
function forged(input: string): string {
  return `${input}.${randomBytes(32).toString("base64url")}`;
}

function forgedOfLength(header: string, length: number): string {
  return forged(`${header}.${longPayload(length - header.length - 45)}`);
}

/** The key's owner may be the one who sends too much: the limit decides before the signature is looked at. */
function signed(secret: string, header: string, length: number): string {
  const input = `${header}.${longPayload(length - header.length - 45)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

function longPayload(length: number): string {
  const now = Math.floor(Date.now() / 1000);
  const start = `{"iss":"https://auth.example.com","aud":"https://api.example.com","exp":${now + 3600},"x":"`;
  return toText(`${start}${letters(Math.floor((length * 3) / 4) - start.length - 2)}"}`);
}

function longHeader(length: number): string {
  return toText(`{"alg":"HS256","typ":"at+jwt","kid":"${letters((length * 3) / 4 - 40)}"}`);
}

function manyNames(length: number): string {
  const names = Array.from({ length: Math.floor((length - 20) / 11) }, (_, index) => `"n${1000 + index}":"x"`);
  return toText(`{"alg":"HS256",${names.join(",")}}`);
}

function letters(length: number): string {
  return randomBytes(length).toString("base64url").slice(0, length);
}

function toText(json: string): string {
  return Buffer.from(json).toString("base64url");
}

function refusing({ call, inFlight }: Operation): Operation {
  if (inFlight === undefined) {
    const refuse = (token: string, index: number): unknown => {
      try {
        return call(token, index);
      } catch (refusal) {
        return refusal;
      }
    };
    return { call: refuse };
  }
  return { inFlight, call: (token, index) => (call(token, index) as Promise<unknown>).catch((refusal) => refusal) };
}

async function proveRefusals(name: string, { call }: Operation, attacks: readonly Attack[]): Promise<void> {
  for (const { form, tokens, size } of attacks) {
    const taken = await Promise.resolve()
      .then(() => call(tokens[0]!, 0))
      .catch(() => undefined);
    // Peers have no limit of their own; for them the longest forms are a good token's cost at that size.
    if (taken !== undefined && !(size === "longer" && !name.startsWith(OURS)))
      throw new Error(`${name} accepts a token with ${form}`);
  }
}

function find(contenders: readonly Contender[], name: string): Contender {
  const found = contenders.find((contender) => contender.name === name);
  if (!found) throw new TypeError(`nobody is called ${name}`);
  return found;
}

/** Starts both sides, sends every case to each, and says what differs. */

import { type Case, makeCases, PASSWORD, type SideTokens } from "./cases.ts";
import { type DjangoProject, startDjango } from "./django.ts";
import { type Aspect, differences, type Observed, observe, send } from "./exchange.ts";
import { type Ours, startOurs } from "./ours.ts";

export interface Difference {
  readonly name: string;
  readonly aspect: Aspect;
  readonly django: string;
  readonly ours: string;
}

export interface Comparison {
  readonly versions: Readonly<Record<string, string>>;
  readonly caseCount: number;
  readonly differences: readonly Difference[];
}

export const SECRET = "Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0QaEiUo7Kc3";

export interface Sides {
  readonly django: DjangoProject;
  readonly ours: Ours;
}

/** Both sides with the same users under one secret. */
export async function startSides(): Promise<Sides> {
  const django = await startDjango(SECRET);
  try {
    const loose = { allowTokensIssuedByDjango: true };
    const ours = await startOurs(SECRET, django.users, { drf: { ...loose, guardStatus: 403 }, simplejwt: loose });
    return { django, ours };
  } catch (error) {
    await django.stop();
    throw error;
  }
}

export async function compare({ django, ours }: Sides, isWanted: (index: number) => boolean): Promise<Comparison> {
  const cases = makeCases(SECRET).filter((_, index) => isWanted(index));
  const [theirTokens, ourTokens] = await Promise.all([collectTokens(django.url), collectTokens(ours.url)]);
  await Promise.all([django.deleteUser("eve"), ours.auth.users.delete(3)]);
  const found: Difference[] = [];
  for (const one of cases) {
    const [theirs, own] = await Promise.all([ask(django.url, one, theirTokens), ask(ours.url, one, ourTokens)]);
    for (const aspect of differences(theirs, own)) {
      found.push({ name: one.name, aspect, django: theirs[aspect], ours: own[aspect] });
    }
  }
  return { versions: django.versions, caseCount: cases.length, differences: found };
}

async function ask(url: string, { name, request }: Case, tokens: SideTokens): Promise<Observed> {
  try {
    return observe(await send(url, request(tokens)));
  } catch (cause) {
    throw new Error(`${name}: ${url} did not answer`, { cause });
  }
}

async function collectTokens(url: string): Promise<SideTokens> {
  const post = async (path: string, body: object) => {
    const answer = await send(url, {
      method: "POST",
      path,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(`${url}${path} answered ${answer.status}: ${answer.text.slice(0, 200)}`);
    return JSON.parse(answer.text) as { access: string; refresh: string };
  };
  const recipe = (name: string) => post("/api/auth/login/", { email: `${name}@example.com`, password: PASSWORD });
  const simple = (username: string) => post("/api/token/", { username, password: PASSWORD });
  const [ada, eve, simpleAda, simpleEve, ended] = [
    ...[await recipe("ada"), await recipe("eve"), await simple("ada"), await simple("eve"), await simple("ada")],
  ] as const;
  await post("/api/token/blacklist/", { refresh: ended?.refresh });
  return {
    access: ada?.access ?? "",
    refresh: ada?.refresh ?? "",
    goneAccess: eve?.access ?? "",
    goneRefresh: eve?.refresh ?? "",
    simpleAccess: simpleAda?.access ?? "",
    simpleRefresh: simpleAda?.refresh ?? "",
    goneSimpleAccess: simpleEve?.access ?? "",
    goneSimpleRefresh: simpleEve?.refresh ?? "",
    blacklisted: ended?.refresh ?? "",
  };
}

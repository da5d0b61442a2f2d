/**
 * Access tokens, taken apart. The page never holds its own: the server tells what it says, and keeps the signature to itself.
 * A pasted token goes to the server that issued it or did not, and nowhere else.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { call, client } from "../api.ts";
import { MEANINGS, toInstantOf, toText } from "../claims.ts";
import { Badge } from "../parts/facts.tsx";
import { Area, Form } from "../parts/form.tsx";
import { Notice, Reading } from "../parts/notice.tsx";
import { Page, Section } from "../parts/page.tsx";
import { toExact, useClock } from "../parts/time.tsx";
import { useRead } from "../read.ts";
import { sentence } from "../words.ts";

interface Check {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "not reached";
  readonly problem: string | null;
}

export interface Explanation {
  readonly accepted: boolean;
  readonly code: string | null;
  readonly reason: string | null;
  readonly checks: readonly Check[];
  readonly judged_at: number;
  readonly header: unknown;
  readonly claims: unknown;
}

export function TokensPage() {
  return (
    <Page title="Tokens" lead="What an access token says, and what this server makes of it.">
      <OwnToken />
      <ExplainToken />
    </Page>
  );
}

interface Happening {
  readonly at: string;
  readonly words: string;
}

function OwnToken() {
  const own = useRead<Explanation>("/v1/users/me/token");
  const [happenings, setHappenings] = useState<readonly Happening[]>([]);
  const { reload } = own;
  useEffect(
    () =>
      client.onChange((change) => {
        if (change !== "renewed" && change !== "signed-in") return;
        const count = client.session?.generation;
        const words = change === "renewed" ? `Refreshed: token ${count} of this session` : "Signed in again";
        setHappenings((list) => [{ at: new Date().toISOString(), words }, ...list].slice(0, 20));
        void reload();
      }),
    [reload],
  );
  return (
    <Section title="Your access token">
      <Reading of={own}>
        {(token) => (
          <>
            <Life token={token} onDue={reload} />
            <Parts header={token.header} claims={token.claims} />
          </>
        )}
      </Reading>
      <h3>Refreshes</h3>
      {happenings.length === 0 ? (
        <p class="quiet">None while this page was open. The token is renewed by itself shortly before it expires.</p>
      ) : (
        <ol class="timeline">
          {happenings.map(({ at, words }) => (
            <li key={at}>
              <time dateTime={at}>{toExact(at)}</time>
              <span>{words}</span>
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

/** How much of its life is left, by the server's clock. */
function Life({ token, onDue }: { readonly token: Explanation; readonly onDue: () => Promise<void> }) {
  const now = useClock(1_000);
  const { iat, exp } = Object(token.claims) as { iat: number; exp: number };
  /** How far the server's clock is ahead, as far as can be told. */
  const ahead = useRef({ token: undefined as Explanation | undefined, seconds: 0 });
  if (ahead.current.token !== token)
    ahead.current = { token, seconds: token.judged_at - Math.floor(Date.now() / 1000) };
  const left = Math.max(0, Math.round(exp - (now / 1000 + ahead.current.seconds)));
  const life = exp - iat;
  // Asking is what has it renewed: in the last tenth on the side, at the end by necessity.
  const due = left === 0 ? "over" : left < life / 10 ? "soon" : "";
  useEffect(() => {
    if (due) void onDue();
  }, [due, onDue]);
  return (
    <div class="life">
      <p>
        <strong class="number">{toClock(left)}</strong> <span class="quiet">left of {toClock(life)}</span>
      </p>
      <svg viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="2" />
        <rect class="bar" width={(100 * left) / life} height="2" />
      </svg>
    </div>
  );
}

const toClock = (seconds: number) => {
  const pad = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}:` : ""}${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
};

function Parts({ header, claims }: Pick<Explanation, "header" | "claims">) {
  return (
    <div class="parts">
      <Members title="Header" of={header} />
      <Members title="Claims" of={claims} />
    </div>
  );
}

function Members({ title, of }: { readonly title: string; readonly of: unknown }) {
  if (typeof of !== "object" || of === null) return null;
  return (
    <table class="members">
      <caption>{title}</caption>
      <tbody>
        {Object.entries(of).map(([name, value]) => {
          const instant = toInstantOf(name, value);
          return (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>
                <code class="value">
                  <bdi>{toText(value)}</bdi>
                </code>
                {(instant || Object.hasOwn(MEANINGS, name)) && (
                  <span class="quiet">
                    {Object.hasOwn(MEANINGS, name) && MEANINGS[name]} {instant && toExact(instant)}
                  </span>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function ExplainToken() {
  const [result, setResult] = useState<Explanation>();
  const [isRefreshToken, setIsRefreshToken] = useState(false);
  const outcome = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (result) outcome.current?.focus();
  }, [result]);
  return (
    <Section title="Why is a token refused?">
      <Form
        submit="Explain it"
        busy="Looking at it…"
        onSubmit={async ({ token = "" }) => {
          const text = token.trim().replace(/^bearer\s+/i, "");
          setIsRefreshToken(text.startsWith("lkr_"));
          // It would be of use to whoever reads along; explaining it needs no server.
          setResult(text.startsWith("lkr_") ? undefined : await call("POST", "/v1/tokens/explain", { token: text }));
        }}
      >
        <Area
          name="token"
          label="Access token"
          hint="It goes to this server, which checks it with its own keys, and nowhere else. Nothing is kept."
        />
      </Form>
      {isRefreshToken && (
        <Notice kind="note">
          That is a refresh token: it is spent at the refresh endpoint and never sent anywhere else, so it was not sent
          now. If somebody else has seen it, <a href="/console/sessions">end its session</a>.
        </Notice>
      )}
      {result && (
        <div class="outcome" ref={outcome} tabIndex={-1}>
          <Notice kind={result.accepted ? "done" : "problem"}>
            {result.accepted
              ? "Every check passes. Whether its session has ended is not asked here."
              : `Refused (${result.code}): ${sentence(result.reason ?? "")}`}
          </Notice>
          <ul class="checks">
            {result.checks.map(({ name, outcome, problem }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: several checks may be of one claim, and none ever moves.
              <li key={i}>
                <Badge kind={outcome === "passed" ? "good" : outcome === "failed" ? "bad" : ""}>{outcome}</Badge>
                <code>{name}</code>
                <span class="quiet grow">{problem === null ? CHECKS[name] : sentence(problem)}</span>
              </li>
            ))}
          </ul>
          {(result.header !== null || result.claims !== null) && (
            <>
              <p class="quiet">What it says of itself{!result.accepted && "; anybody may have written it"}:</p>
              <Parts header={result.header} claims={result.claims} />
            </>
          )}
        </div>
      )}
    </Section>
  );
}

const CHECKS: Readonly<Record<string, string>> = {
  form: "Three parts in strict base64url, not too long.",
  header: "Names a key of ours and that key's own algorithm.",
  signature: "Made by that key over exactly these bytes.",
  claims: "One JSON object, without doubles.",
  iss: "Issued by this server.",
  aud: "Meant for this audience.",
  typ: "An access token, and no other kind.",
  exp: "Has not expired.",
  nbf: "Good already.",
  iat: "Issued in the past.",
  sub: "Names a user.",
  times: "Instants are numbers, and in order.",
  lifetime: "Not made to live longer than any token of ours.",
  jti: "Has an id of its own.",
};

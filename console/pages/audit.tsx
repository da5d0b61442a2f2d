/** The audit trail of everybody, for staff: by user, by what happened, from a day on. */
import { useState } from "preact/hooks";
import { Page } from "../parts/page.tsx";
import { Trail } from "../parts/trail.tsx";
import { HAPPENINGS, type TrailEntry } from "../trail.ts";

export function AuditPage() {
  const [user, setUser] = useState("");
  const [type, setType] = useState("");
  const [since, setSince] = useState("");
  const query = new URLSearchParams({ limit: "50" });
  if (/^[1-9]\d{0,15}$/.test(user.trim())) query.set("user", user.trim());
  if (type) query.set("type", type);
  const from = since && Date.parse(since);
  if (from) query.set("since", new Date(from).toISOString());
  return (
    <Page title="Audit" lead="Who did what, when and from where.">
      <search class="filters">
        <div class="field">
          <label for="audit-user">User id</label>
          <input
            id="audit-user"
            inputMode="numeric"
            autocomplete="off"
            placeholder="Everybody"
            value={user}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="audit-type">What</label>
          <select id="audit-type" value={type} onChange={(event) => setType(event.currentTarget.value)}>
            <option value="">Everything</option>
            {Object.entries(HAPPENINGS).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="audit-since">Since</label>
          <input id="audit-since" type="date" value={since} onInput={(event) => setSince(event.currentTarget.value)} />
        </div>
      </search>
      <Trail
        path={`/v1/audit?${query}`}
        empty="Nothing of the kind has happened"
        about={(entry) => <Who entry={entry} />}
      />
    </Page>
  );
}

function Who({ entry: { user_id, actor_id } }: { readonly entry: TrailEntry }) {
  return (
    <span class="quiet">
      {user_id && <a href={`/console/users/${user_id}`}>user {user_id}</a>}
      {actor_id && actor_id !== user_id && (
        <>
          {" "}
          by <a href={`/console/users/${actor_id}`}>staff {actor_id}</a>
        </>
      )}
    </span>
  );
}

/**
 * Engines with one thing taken out of them, to show that the checker would notice. What is broken is broken from outside:
 * in the statements on their way to the store, in what is asked of the engine, or in what it answers.
 */
import { hash } from "node:crypto";
import type { Auth, Tokens } from "../../src/auth.ts";
import { AuthError } from "../../src/errors.ts";
import type { Statement, Storage } from "../../src/storage/storage.ts";
import type { Recording } from "./record.ts";

export type Refresh = Auth["refresh"];

export interface BrokenRule {
  /** Seconds, when the engine is told another grace. */
  readonly grace?: number;
  /** Parts of statements and what stands there instead; "?" is a value. */
  readonly statements?: Readonly<Record<string, string>>;
  /** What is put around the engine's refresh. */
  readonly refresh?: (refresh: Refresh, recording: () => Recording) => Refresh;
}

export const BROKEN_RULES = {
  "there is no grace": { grace: 0 },
  "an old token works for as long as it is the last": { grace: 24 * 60 * 60 },
  "only the last attempt id is remembered": { statements: { "1, 128)": "1, 32)" } },
  "attempt ids are not compared": {
    // Whoever brings a token has the id that everybody has who brings it.
    refresh: (refresh) => (token, options) =>
      refresh(token, { ...options, attempt: hash("sha256", token, "base64url") }),
  },
  "a straggler is given the newest token": {
    refresh: (refresh, recording) => async (token, options) => {
      try {
        return await refresh(token, options);
      } catch (error) {
        if (!(error instanceof AuthError) || error.code !== "refresh_superseded") throw error;
        return newestOf(token, recording());
      }
    },
  },
  "a rotation does not look at the generation": {
    statements: { "and generation = ? and mode": "and (generation = ? or 1 = 1) and mode" },
  },
  "a rotation does not look at the end": {
    statements: { "and ended_at is null and idle_expires_at > ?": "and idle_expires_at > ?" },
  },
  "a rotation does not look at the user's epoch": {
    statements: { "and u.epoch = latchkey_sessions.user_epoch and u.deactivated_at": "and u.deactivated_at" },
  },
  "a change of password does not carry its own session": {
    statements: { "set user_epoch = user_epoch + 1": "set user_epoch = user_epoch" },
  },
  "reuse is refused and nothing is ended": {
    statements: {
      "set ended_at = ?, end_reason = ?\n  where id = ? and handle_hash = ?":
        "set ended_at = case when ? > 0 then null end, end_reason = ?\n  where id = ? and handle_hash = ?",
    },
  },
  "an end is written over whatever it finds": {
    statements: {
      "and handle_hash = ? and ended_at is null and generation > ?":
        "and handle_hash = ? and (generation > ? or 1 = 1)",
    },
  },
  "the index is not told of ends": {
    statements: { "latchkey_sessions s where s.id = ?": "latchkey_sessions s where s.id = -?" },
  },
} as const satisfies Record<string, BrokenRule>;

function newestOf(token: string, { operations, sessions }: Recording): Tokens {
  const session = operations.findLast((operation) => operation.token?.text === token)?.token?.session ?? sessions[0];
  const { newest, id, access } = session as NonNullable<typeof session>;
  return {
    accessToken: access.newest?.token ?? "",
    refreshToken: newest.text,
    tokenType: "Bearer",
    expiresIn: 900,
    refreshExpiresIn: 900,
    sessionId: String(id),
    generation: newest.generation,
  };
}

/** A store whose statements are replaced on the way. */
export function rewriteStatements(storage: Storage, replacements: Readonly<Record<string, string>>): Storage {
  /** By call site, so that drivers still prepare each statement once. */
  const known = new WeakMap<readonly string[], readonly string[]>();

  function rewrite(statement: Statement): Statement {
    let strings = known.get(statement.strings);
    if (!strings) {
      let text = statement.strings.join("?");
      for (const [part, replacement] of Object.entries(replacements)) text = text.replace(part, replacement);
      strings = text.split("?");
      known.set(statement.strings, strings);
    }
    return { ...statement, strings };
  }

  return {
    kind: storage.kind,
    clockOffset: storage.clockOffset,
    migrate: () => storage.migrate(),
    read: (statement) => storage.read(rewrite(statement)),
    write: (statements) => storage.write(statements.map(rewrite)),
    close: () => storage.close(),
  };
}

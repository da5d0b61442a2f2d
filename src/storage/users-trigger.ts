/**
 * A trigger for PostgreSQL that tells the revocation feed what Django changes in its users, so that guards need not ask the database each time. It is printed
 * for the table's owner to install: the server's own role need not be allowed to.
 */
import { FEED_SLACK } from "./queries.ts";
import { markOf, quoteName, quoteTable, toColumns, type UsersTable } from "./users-in-place.ts";

export interface UsersTriggerOptions extends UsersTable {
  /** Seconds: the longest life of any access token. */
  readonly longestAccessLife: number;
}

/** @returns the SQL that installs the trigger, and may run again. @throws TypeError for names that can't be. */
export function usersTrigger({ table, columns: given, longestAccessLife }: UsersTriggerOptions): string {
  const name = quoteTable(table);
  const columns = toColumns(given);
  const id = quoteName(columns.id, "id");
  const password = quoteName(columns.password, "password");
  const isActive = columns.isActive === null ? undefined : quoteName(columns.isActive, "isActive");
  const watched = isActive ? `${password}, ${isActive}` : password;
  const isSame = isActive ? `and (new.${isActive} or not old.${isActive})` : "";
  const isGone = isActive ? `tg_op = 'DELETE' or not new.${isActive}` : "tg_op = 'DELETE'";
  return `-- Run it as the owner of ${name}, in the schema that has Latchkey's tables, once Latchkey has made those.
-- A change of a password, a deactivation and a deletion take back the user's tokens in the same transaction.
create or replace function latchkey_users_changed() returns trigger
language plpgsql security definer set search_path from current as $latchkey$
declare
  bumped bigint;
  moment bigint := floor(extract(epoch from clock_timestamp()));
begin
  -- Latchkey's own changes have been accounted for.
  if coalesce(current_setting('latchkey.own_change', true), '') = 'on' then return null; end if;
  if tg_op = 'UPDATE' then
    if new.${password} = old.${password} ${isSame} then return null; end if;
  end if;
  update latchkey_user_state set
    epoch = epoch + case when mark = ${markOf(`old.${password}`)} then 1 else 2 end,
    mark = case when tg_op = 'UPDATE' then ${markOf(`new.${password}`)} else mark end
  where user_id = old.${id}
  returning epoch into bumped;
  -- Who has never signed in has nothing to take back.
  if bumped is null then return null; end if;
  update latchkey_feed set head = head + 1;
  insert into latchkey_revocations (position, user_id, epoch, reason, expires_at, created_at)
    select head, old.${id}, bumped, case when ${isGone} then 'inactive' else 'ended' end,
      moment + ${longestAccessLife + 2 * FEED_SLACK}, moment
    from latchkey_feed;
  perform pg_notify('latchkey_feed', '');
  return null;
end
$latchkey$;
drop trigger if exists latchkey_users_changed on ${name};
create trigger latchkey_users_changed after update of ${watched} or delete on ${name}
  for each row execute function latchkey_users_changed();
`;
}

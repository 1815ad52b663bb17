/** An independent record of the keys that tasks get, and of what is written during a pause, in the database. */

/** Notes every key that a new task got, and every write of somebody who is paused. */
export const KEY_WITNESS = `
  create table if not exists witness.keys (n bigserial, workspace_id uuid, task_id uuid, key text);
  create table if not exists witness.paused (task_id uuid);
  create or replace function witness.note_key() returns trigger language plpgsql security definer as $$
  begin
    insert into witness.keys (workspace_id, task_id, key) values (new.workspace_id, new.id, new.key);
    return null;
  end $$;
  create or replace function witness.note_paused() returns trigger language plpgsql security definer as $$
  begin
    -- Claims are no news, and whoever is paused may release one; steps of a deletion are of whoever deletes.
    if tg_op = 'UPDATE' and new.updated_at = old.updated_at then
      return null;
    end if;
    insert into witness.paused select new.id where exists (
      select from public.workspace_members m
      where m.user_id = convoy.author() and m.workspace_id = new.workspace_id and m.deleted_at is null and m.paused_at is not null);
    return null;
  end $$;
  create or replace trigger zz_witness_key after insert on public.tasks for each row execute function witness.note_key();
  create or replace trigger zz_witness_paused after insert or update on public.tasks
    for each row execute function witness.note_paused();
`;

export const FORGET_KEYS = [
  'delete from witness.keys',
  'delete from witness.paused',
  "update auth.users set raw_user_meta_data = raw_user_meta_data - 'kind' where raw_user_meta_data ? 'kind'",
];

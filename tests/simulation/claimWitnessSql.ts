/** What the database of a simulation notes of claims by itself. */

/** Notes every change of a claim that is news, and the revisions that are news of tasks. */
export const CLAIM_WITNESS = `
  create table if not exists witness.loud_claims (task_id uuid, what text);
  create table if not exists witness.news (task_id uuid primary key, revision bigint not null);
  create or replace function witness.note_claim() returns trigger language plpgsql security definer as $$
  declare
    claims constant text[] := array['claimed_by', 'claimed_until', 'claim_id', 'revision', 'field_revisions'];
  begin
    if to_jsonb(new) - claims is distinct from to_jsonb(old) - claims then
      if to_jsonb(new) - claims - 'updated_at'::text - 'last_modified_by'::text
        is not distinct from to_jsonb(old) - claims - 'updated_at'::text - 'last_modified_by'::text
        and (new.claimed_by, new.claimed_until, new.claim_id) is distinct from (old.claimed_by, old.claimed_until, old.claim_id)
      then
        insert into witness.loud_claims values (new.id, 'its author or time changed');
      end if;
      insert into witness.news values (new.id, new.revision)
        on conflict (task_id) do update set revision = excluded.revision;
    end if;
    return null;
  end $$;
  create or replace trigger zz_witness_claim after update on public.tasks
    for each row execute function witness.note_claim();
  create or replace function witness.note_task() returns trigger language plpgsql security definer as $$
  begin
    insert into witness.news values (new.id, new.revision) on conflict (task_id) do update set revision = excluded.revision;
    return null;
  end $$;
  create or replace trigger zz_witness_task after insert on public.tasks
    for each row execute function witness.note_task();
`;

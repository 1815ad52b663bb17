/** An independent record of the reviews that agents have settled, in the database: it asks none of the functions that judge them. */

/** Notes every review that an agent has settled. */
export const REVIEW_WITNESS = `
  create table if not exists witness.forged_reviews (task_id uuid, activity_type text);
  create or replace function witness.note_review() returns trigger language plpgsql security definer as $$
  begin
    insert into witness.forged_reviews select new.task_id, new.activity_type where exists (
      select from auth.users u where u.id = new.actor_id and u.raw_app_meta_data ->> 'kind' = 'agent');
    return null;
  end $$;
  create or replace trigger zz_witness_review after insert on public.activity_feed for each row
    when (new.activity_type in ('review_approved', 'review_returned') and new.deleted_at is null)
    execute function witness.note_review();
`;

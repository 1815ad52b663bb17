-- The demo: four accounts and a workspace in which a team builds a field app that works offline.
-- Repeatable: every row has a fixed id and is left alone where it exists. Times are relative to now,
-- so that the demo looks as if the team had been at work until a moment ago.
-- Password of all accounts: convoy-demo

-- Ids are shaped like UUIDv7: 019a0000-0000-7000-80KK-0000000NNNNN, with KK the kind of record.
create or replace function pg_temp.id_of(kind text, n integer) returns uuid
language sql immutable as $$
  select ('019a0000-0000-7000-80' || case kind
    when 'user' then '00' when 'workspace' then '01' when 'project' then '02' when 'milestone' then '03'
    when 'task' then '04' when 'dependency' then '05' when 'activity' then '06' when 'pattern' then '07'
    when 'practice' then '08' when 'member' then '0a' end || '-' || lpad(n::text, 12, '0'))::uuid
$$;

-- Accounts ---------------------------------------------------------------------------------------
-- Supabase and the local stack differ in the columns of auth.users: write those that exist.
do $$
declare
  account record;
  user_row jsonb;
  identity_row jsonb;
  columns text;
begin
  for account in
    select pg_temp.id_of('user', n) as id, name, lower(name) || '@convoy.example' as email, kind
    from (values (1, 'Owner', 'human'), (2, 'Editor', 'human'), (3, 'Viewer', 'human'), (4, 'Agent', 'agent'))
      as accounts (n, name, kind)
  loop
    user_row := jsonb_build_object(
      'id', account.id,
      'instance_id', '00000000-0000-0000-0000-000000000000',
      'aud', 'authenticated',
      'role', 'authenticated',
      'email', account.email,
      'encrypted_password', '$2b$10$xBboML/ZJE1pcDSUisPZ5.tR.7CNsTG4aZS1w3jPd8EfvOgxQMPbi',
      'email_confirmed_at', now(),
      'raw_app_meta_data', jsonb_build_object('provider', 'email', 'providers', array['email'], 'kind', account.kind),
      'raw_user_meta_data', jsonb_build_object('display_name', account.name),
      'created_at', now() - interval '60 days',
      'updated_at', now() - interval '60 days',
      -- Supabase's sign-in fails on nulls in these.
      'confirmation_token', '', 'recovery_token', '', 'email_change', '', 'email_change_token_new', '');
    select string_agg(quote_ident(column_name), ', ') into columns
    from information_schema.columns
    where table_schema = 'auth' and table_name = 'users' and user_row ? column_name::text and is_generated = 'NEVER';
    execute format(
      'insert into auth.users (%1$s) select %1$s from jsonb_populate_record(null::auth.users, $1) on conflict do nothing',
      columns) using user_row;

    if to_regclass('auth.identities') is not null then
      identity_row := jsonb_build_object(
        'id', account.id,
        'user_id', account.id,
        'provider', 'email',
        'provider_id', account.id,
        'identity_data', jsonb_build_object('sub', account.id, 'email', account.email, 'email_verified', true),
        'created_at', now(), 'updated_at', now(), 'last_sign_in_at', now());
      select string_agg(quote_ident(column_name), ', ') into columns
      from information_schema.columns
      where table_schema = 'auth' and table_name = 'identities'
        and identity_row ? column_name::text and is_generated = 'NEVER';
      execute format(
        'insert into auth.identities (%1$s) select %1$s from jsonb_populate_record(null::auth.identities, $1) on conflict do nothing',
        columns) using identity_row;
    end if;
  end loop;
end
$$;

-- Workspace and members --------------------------------------------------------------------------
insert into public.workspaces (id, workspace_id, name, description, created_at)
values (pg_temp.id_of('workspace', 1), pg_temp.id_of('workspace', 1), 'Lighthouse',
  'We build Lighthouse, the app that harbour inspectors carry: cranes, quay walls and mooring gear, checked where there is no signal and synced when there is.',
  now() - interval '58 days')
on conflict do nothing;

insert into public.workspace_members (id, workspace_id, user_id, role, created_at)
select pg_temp.id_of('member', n), pg_temp.id_of('workspace', 1), pg_temp.id_of('user', n), role, now() - interval '57 days'
from (values (1, 'owner'), (2, 'editor'), (3, 'viewer'), (4, 'agent')) as members (n, role)
on conflict do nothing;

-- Projects ---------------------------------------------------------------------------------------
insert into public.projects (id, workspace_id, name, description, overview, tech_stack, status, created_at)
select pg_temp.id_of('project', n), pg_temp.id_of('workspace', 1), name, description, overview, tech_stack::jsonb, status,
  now() - days * interval '1 day'
from (values
  (1, 'Field app', 'The app inspectors use on the quay, on phones and rugged tablets.',
   E'## What it is\n\nAn inspector opens the day''s route in the office, drives to the harbour and works through forty to eighty checks, most of them out of reach of any network. Everything they record must be on the device the moment they tap.\n\n## What matters most\n\n1. A recorded finding is never lost.\n2. One-handed use, in gloves, in sunlight.\n3. A four-year-old phone is fast enough.\n\n## What it is not\n\nNot a maintenance planner: findings leave the app as work orders through the sync service.',
   '["TypeScript", "React Native", "WatermelonDB", "SQLite", "Maestro"]', 'active', 56),
  (2, 'Sync service', 'Keeps devices and the office in step, and hands findings to the ports'' own systems.',
   E'## What it is\n\nPostgres with row level security, two sync functions and a small worker that turns findings into work orders.\n\n## Rules we do not bend\n\n- A pull never skips a committed change.\n- A push whose answer was lost is applied once.\n- Nobody sees a port they do not work for.',
   '["PostgreSQL", "Supabase", "TypeScript", "Deno"]', 'active', 55)
) as rows (n, name, description, overview, tech_stack, status, days)
on conflict do nothing;

-- Milestones -------------------------------------------------------------------------------------
insert into public.milestones (id, workspace_id, project_id, name, description, requirements, status, target_date, created_at)
select pg_temp.id_of('milestone', n), pg_temp.id_of('workspace', 1), pg_temp.id_of('project', project), name, description,
  requirements, status, date_trunc('day', now(), 'UTC') + (due + 0.5) * interval '1 day', now() - 54 * interval '1 day'
from (values
  (1, 1, 'Inspections work offline', 'An inspector can do a full day''s route with the radio off.',
   E'- A route of 80 checks opens in under a second without a network.\n- A finding survives the app being killed right after the tap.\n- The inspector always sees what has not reached the office yet.', 'active', 12),
  (2, 1, 'Photos and annotations', 'Findings carry photos with marks on them, without filling the phone.',
   E'- Up to 12 photos a finding, at most 400 KB each after resizing.\n- Arrows, circles and a length scale drawn on a photo stay editable.\n- Uploads resume where they stopped.', 'active', 26),
  (3, 1, 'Usable in gloves and sunlight', 'What we learned on the quay walls of the two pilot ports.',
   E'- Targets of at least 56 points on the check screen.\n- Contrast of 7:1 in the outdoor theme.\n- Works with a screen reader and with system text at 200 %.', 'planned', 47),
  (4, 1, 'Pilot with two ports', 'Six inspectors, two ports, four weeks.',
   E'- Installed and signed in on 9 devices.\n- Crash-free sessions above 99.5 %.\n- A weekly call, its findings filed as tasks.', 'completed', -9),
  (5, 2, 'Pull without gaps', 'A device that has pulled holds everything that was committed before.',
   E'- Concurrent writers, long transactions and retries leave no gap.\n- A pull with nothing new costs one request.', 'completed', -15),
  (6, 2, 'Conflicts that people understand', 'When two inspectors edit the same finding, nobody loses text and nobody is puzzled.',
   E'- Field-level merge for findings, three-way merge for notes.\n- Every resolved conflict can be looked at and reversed.\n- The app says who changed what, in plain words.', 'active', 19),
  (7, 2, 'Ready for the third port', 'Operations: backups, limits, alerts, and data leaving on request.',
   E'- A restore from backup is rehearsed, and devices notice it by themselves.\n- Alerts reach a person within five minutes.\n- A port can export all its data.', 'planned', 61)
) as rows (n, project, name, description, requirements, status, due)
on conflict do nothing;

-- Tasks ------------------------------------------------------------------------------------------
-- A parent stands in a statement of its own before its subtasks.
create temporary table seed_tasks (
  n integer, milestone integer, parent integer, stage text, status text, priority text, assignee integer, days numeric,
  title text, description text
);

insert into seed_tasks values
-- Inspections work offline
(1, 1, null, 'IMPLEMENT', 'in_progress', 'urgent', 4, 14, 'Save a finding locally before anything else happens',
 E'Today the check screen waits for the request. Turn it around: write to the local database in one transaction, show the finding at once, and let sync carry it away.\n\nDone when a killed app, a dead battery or a lost network loses nothing that the inspector saw as saved.'),
(2, 1, null, 'CODE_REVIEW', 'in_progress', 'high', 4, 13, 'Show what has not reached the office yet',
 'A quiet counter in the header, and a list behind it: what waits, since when, and what the last attempt said. Inspectors called the office to ask; they should not have to.'),
(3, 1, null, 'COMMIT', 'done', 'high', 2, 30, 'Mirror the server schema in the local database',
 'Table by table, column by column, with a test that compares the two so that they cannot drift.'),
(4, 1, null, 'VALIDATE', 'in_progress', 'high', 4, 10, 'Open the day''s route without a network',
 'Prefetch routes of the next three days with their checks, structures and the last findings of each. Measure on the oldest tablet of the pilot.'),
(5, 1, null, 'PLAN_REVIEW', 'todo', 'medium', 4, 6, 'Survive a clock that is wrong by hours',
 'Two pilot tablets had lost their time zone. Record the offset to the server at each sync and use it for edit times; never order events by the device clock alone.'),
(6, 1, null, 'PLAN', 'todo', 'medium', 2, 4, 'Let two inspectors share one tablet',
 'Night shift takes over the tablet of the day shift. Findings belong to whoever recorded them, unsent ones included; signing out must not drop them.'),
(7, 1, null, 'IMPLEMENT', 'blocked', 'high', 2, 9, 'Migrate databases of the pilot version',
 'Nine devices hold pilot data. The migration runs once, keeps the old file until the new one has been read back, and refuses a database newer than the app.'),
(8, 1, null, 'COMMIT', 'done', 'medium', 4, 24, 'Write changes of one tap as one group',
 'A finding, its photo entry and its activity are taken or refused together.'),
(9, 1, null, 'PLAN', 'cancelled', 'low', null, 28, 'Cache map tiles of the harbour',
 'The pilot showed that inspectors know their way. Dropped in favour of showing the structure''s drawing.'),
-- Photos and annotations
(10, 2, null, 'IMPLEMENT', 'in_progress', 'high', 4, 11, 'Resize photos before they are stored',
 'Longest side 2,048 pixels, JPEG quality 80, orientation applied, location kept only if the port allows it. Off the main thread: the shutter must be free again within 300 ms.'),
(11, 2, null, 'PLAN_REVIEW', 'todo', 'high', 4, 5, 'Resume uploads where they stopped',
 'Chunks of 256 KB with a checksum each. After a network change the device asks what has arrived instead of starting over.'),
(12, 2, null, 'CODE_REVIEW', 'in_progress', 'medium', 2, 8, 'Draw arrows and circles on a photo',
 'Marks are stored beside the photo as shapes, so that they stay editable and the original stays evidence.'),
(13, 2, null, 'PLAN', 'todo', 'medium', null, 3, 'Measure lengths against a reference card',
 'The inspector lays a card of known size next to a crack; two taps give a length. Accuracy of 5 % is good enough for triage.'),
(14, 2, null, 'COMMIT', 'done', 'high', 2, 20, 'Keep at most 2 GB of photos on a device',
 'Uploaded originals go first, oldest first; a thumbnail stays. Never delete what has not been uploaded.'),
(15, 2, null, 'VALIDATE', 'in_progress', 'urgent', 2, 7, 'Do not lose the photo when the camera kills the app',
 'On small devices Android ends the app while the camera is open. Persist the pending shot before starting the camera and pick the result up after the restart.'),
(16, 2, null, 'PLAN', 'todo', 'low', null, 2, 'Dictate notes to a photo',
 'Speech to text on the device only. Nothing is sent anywhere to be transcribed.'),
-- Usable in gloves and sunlight
(17, 3, null, 'PLAN', 'todo', 'high', 2, 12, 'Make targets on the check screen larger',
 'Pass, fail and note are 44 points now; in gloves every ninth tap missed. Aim for 56 with 12 between, without more scrolling.'),
(18, 3, null, 'PLAN_REVIEW', 'todo', 'medium', 4, 9, 'Add an outdoor theme with 7:1 contrast',
 'A switch in reach of the thumb, not in the settings. Remember it for each device.'),
(19, 3, null, 'PLAN', 'todo', 'medium', null, 8, 'Name every control for the screen reader',
 'Walk the five main screens with the reader on and file what is silent or repeats itself.'),
(20, 3, null, 'PLAN', 'todo', 'medium', null, 8, 'Support system text at 200 %',
 'The route list truncates structure names at 130 % already.'),
(21, 3, null, 'PLAN', 'todo', 'low', null, 7, 'Confirm a saved check by vibration',
 'A short pulse for saved, two for refused. Inspectors look at the wall, not at the screen.'),
(22, 3, null, 'PLAN', 'todo', 'high', 4, 6, 'Start in under two seconds on the oldest pilot phone',
 'Cold start takes 4.1 s. The profile shows 1.6 s of it in reading all routes before the first frame.'),
-- Pilot with two ports
(23, 4, null, 'COMMIT', 'done', 'high', 1, 40, 'Install and sign in nine devices',
 'Device list, serial numbers and accounts are with the two ports'' offices.'),
(24, 4, null, 'COMMIT', 'done', 'high', 2, 36, 'Report crashes with the last 50 actions',
 'Without texts or photos of findings: only screens, taps and error codes.'),
(25, 4, null, 'COMMIT', 'done', 'medium', 1, 33, 'Write the one-page guide for inspectors',
 'Printed on waterproof paper, A5, pictures over words.'),
(26, 4, null, 'COMMIT', 'done', 'urgent', 4, 27, 'Fix duplicate findings after a lost answer',
 'A push whose answer was lost was sent again under new ids. The batch is now stored before it is sent and resent unchanged.'),
(27, 4, null, 'COMMIT', 'done', 'medium', 1, 18, 'Collect what the pilot taught us',
 'Forty-one remarks, grouped: speed (12), gloves and light (11), photos (9), sync status (6), others (3).'),
(28, 4, null, 'PLAN', 'cancelled', 'low', null, 35, 'Lend out spare devices through a kiosk',
 'The ports lend devices by themselves.'),
-- Pull without gaps
(29, 5, null, 'COMMIT', 'done', 'urgent', 2, 44, 'Prove that cursors over updated_at lose rows',
 'Sixteen writers and one reader: up to 77 % of rows were never seen. The test stays as the reason for the clock.'),
(30, 5, null, 'COMMIT', 'done', 'urgent', 2, 41, 'Give each scope a clock that orders commits',
 'A writing transaction locks the clock of its scope, bumps it once and stamps its rows. The order of revisions is the order of commits.'),
(31, 5, null, 'COMMIT', 'done', 'high', 4, 37, 'Send rows as one array for each column',
 'Half the size of objects, and twice as fast to build and to parse.'),
(32, 5, null, 'COMMIT', 'done', 'high', 4, 34, 'Page towards a frozen target',
 'A first sync of any size can be resumed; page and cursor are applied in one local transaction.'),
(33, 5, null, 'COMMIT', 'done', 'medium', 2, 29, 'Notice a database restored from backup',
 'Each revision draws a random tag. A cursor with an unknown tag belongs to another history.'),
-- Conflicts that people understand
(34, 6, null, 'IMPLEMENT', 'in_progress', 'urgent', 4, 12, 'Merge findings field by field',
 E'Only fields that both sides changed, to different values, are in conflict.\n\nStatus and completion date merge as one, so that a finding is never closed without a date.'),
(35, 6, null, 'CODE_REVIEW', 'in_progress', 'high', 4, 10, 'Merge notes three ways, by words',
 'Most conflicts in notes are two people adding a sentence each. Where the same words were changed, keep both and ask.'),
(36, 6, null, 'PLAN_REVIEW', 'in_progress', 'high', 4, 6, 'Say in plain words who changed what',
 'Not "conflict on column severity" but "While you were offline, the day shift raised the severity from minor to major."'),
(37, 6, null, 'VALIDATE', 'in_progress', 'high', 2, 9, 'Keep a ledger of resolved conflicts',
 'Base, local, remote, chosen, by which policy and when; written in the same transaction that applies the choice.'),
(38, 6, null, 'PLAN', 'todo', 'medium', 2, 5, 'Reverse a resolved conflict from any device',
 'The activity carries both values, so that anyone with edit rights can put the other one back.'),
(39, 6, null, 'COMMIT', 'done', 'high', 2, 22, 'Make stage and status merge as a unit',
 'Merged one by one they produced open findings with a completion date.'),
(40, 6, null, 'PLAN', 'todo', 'low', null, 3, 'Count conflicts for each port and week',
 'If the number rises after a release, we want to know before the ports call.'),
(41, 6, null, 'IMPLEMENT', 'in_progress', 'medium', 2, 8, 'Set rejected changes aside without blocking the rest',
 'A change that policy refuses goes to a quarantine with the server''s reason; the inspector can edit, retry or export it.'),
-- Ready for the third port
(42, 7, null, 'PLAN', 'todo', 'high', 1, 11, 'Rehearse a restore from backup',
 'Restore yesterday''s backup into a staging project, connect two devices that have newer data, and write down what they do.'),
(43, 7, null, 'PLAN_REVIEW', 'todo', 'high', 4, 8, 'Limit requests for each device',
 'A device in a retry loop sent 41,000 requests in one night. Answer 429 with Retry-After, and have the app honour it.'),
(44, 7, null, 'PLAN', 'todo', 'medium', null, 7, 'Alert when a port has been silent for a day',
 'Silence is more often a broken sync than a quiet day. Weekends and holidays of the port are known.'),
(45, 7, null, 'PLAN', 'todo', 'medium', null, 6, 'Export all data of a port',
 'CSV for tables, originals for photos, one archive. The port''s contract asks for it within ten working days.'),
(46, 7, null, 'PLAN', 'blocked', 'medium', 1, 5, 'Agree on retention with the ports',
 'Findings: ten years. Photos: open. Waiting for the answer of the second port''s legal department.'),
(47, 7, null, 'PLAN', 'todo', 'low', null, 4, 'Move tombstones older than a year out of the way',
 'A device that has been away longer than that starts from the beginning.'),
(48, 7, null, 'PLAN', 'todo', 'urgent', 2, 1, 'Rotate the keys that leaked into a support ticket',
 'Anon key only, no data at risk, but the ticket is readable by all agents of the helpdesk.'),
-- Subtasks
(49, 1, 1, 'COMMIT', 'done', 'high', 4, 13, 'Write finding, photo entry and activity in one transaction', 'One batch, one group.'),
(50, 1, 1, 'COMMIT', 'done', 'high', 4, 12, 'Show the finding from the local record', 'The screen observes the database and knows nothing of requests.'),
(51, 1, 1, 'IMPLEMENT', 'in_progress', 'urgent', 4, 6, 'Kill the app a hundred times and count', 'A script taps, waits between 0 and 50 ms and kills the process. Expected losses: none.'),
(52, 1, 1, 'PLAN', 'todo', 'medium', 2, 5, 'Tell the inspector when the disk is full', 'Before the camera opens, not after.'),
(53, 1, 2, 'COMMIT', 'done', 'medium', 4, 12, 'Count pending changes without scanning tables', 'The counter must not cost a query on each tap.'),
(54, 1, 2, 'CODE_REVIEW', 'in_progress', 'medium', 4, 8, 'List what waits, oldest first', 'With the reason of the last failed attempt in plain words.'),
(55, 1, 7, 'IMPLEMENT', 'blocked', 'high', 2, 8, 'Copy pilot findings under new ids', 'Waits for the id mapping of the sync service.'),
(56, 1, 7, 'PLAN', 'todo', 'medium', 2, 8, 'Refuse a database newer than the app', 'Say which version is needed; never reset it.'),
(57, 2, 10, 'COMMIT', 'done', 'high', 4, 10, 'Apply the orientation before resizing', 'Otherwise annotations land on the wrong side.'),
(58, 2, 10, 'IMPLEMENT', 'in_progress', 'medium', 4, 9, 'Resize in a worker', 'Two at a time on devices with 3 GB of memory or less: one.'),
(59, 2, 12, 'COMMIT', 'done', 'medium', 2, 7, 'Store marks in the photo''s own coordinates', 'From 0 to 1, so that they fit every size.'),
(60, 2, 12, 'CODE_REVIEW', 'in_progress', 'medium', 2, 6, 'Undo the last ten marks', 'Two-finger tap, and a button for gloves.'),
(61, 3, 22, 'PLAN', 'todo', 'high', 4, 5, 'Read only the current route before the first frame', 'The other routes can follow when the list is visible.'),
(62, 3, 22, 'PLAN', 'todo', 'medium', 4, 5, 'Load the font for the outdoor theme lazily', '180 ms of the cold start, and most people never switch.'),
(63, 6, 34, 'COMMIT', 'done', 'high', 4, 11, 'Write the merge as a pure function', 'Base, local, remote and policy in; record and conflicts out. No clock, no database.'),
(64, 6, 34, 'VALIDATE', 'in_progress', 'high', 4, 8, 'Test the merge with random edits', 'Merging is symmetric where no one conflicts, and merging a merge changes nothing.'),
(65, 6, 34, 'IMPLEMENT', 'in_progress', 'high', 4, 6, 'Let the later edit win for single values', 'By edit time corrected with the clock offset, never later than now.'),
(66, 6, 36, 'PLAN', 'todo', 'medium', 4, 5, 'Name people by their role on shared tablets', 'Whoever is on shift, not the account that is signed in.'),
(67, 7, 42, 'PLAN', 'todo', 'high', 1, 9, 'Write down what devices do after a restore', 'Expected: they notice, pull the scope again, and push what the server has lost.'),
(68, 7, 43, 'PLAN', 'todo', 'medium', 4, 6, 'Back off with full jitter', 'So that two hundred devices do not come back in the same second.');

insert into public.tasks (id, workspace_id, milestone_id, parent_task_id, title, description, current_stage, status, priority,
  assignee_id, sort_order, completion_date, created_at)
select pg_temp.id_of('task', n), pg_temp.id_of('workspace', 1), pg_temp.id_of('milestone', milestone),
  pg_temp.id_of('task', parent), title, description, stage, status, priority, pg_temp.id_of('user', assignee),
  row_number() over (partition by milestone order by n),
  case when status = 'done' then now() - days * interval '12 hours' end, now() - days * interval '1 day'
from seed_tasks where parent is null
on conflict do nothing;

insert into public.tasks (id, workspace_id, milestone_id, parent_task_id, title, description, current_stage, status, priority,
  assignee_id, sort_order, completion_date, created_at)
select pg_temp.id_of('task', n), pg_temp.id_of('workspace', 1), pg_temp.id_of('milestone', milestone),
  pg_temp.id_of('task', parent), title, description, stage, status, priority, pg_temp.id_of('user', assignee),
  100 + row_number() over (partition by milestone order by n),
  case when status = 'done' then now() - days * interval '12 hours' end, now() - days * interval '1 day'
from seed_tasks where parent is not null
on conflict do nothing;

-- An agent is at work on these.
update public.tasks set claimed_by = pg_temp.id_of('user', 4), claimed_until = now() + interval '45 minutes', claim_id = 'demo'
where id in (pg_temp.id_of('task', 51), pg_temp.id_of('task', 58)) and claimed_by is null;

-- Dependencies -----------------------------------------------------------------------------------
insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id, created_at)
select pg_temp.id_of('dependency', (row_number() over (order by task, needs))::integer), pg_temp.id_of('workspace', 1),
  pg_temp.id_of('task', task), pg_temp.id_of('task', needs), now() - interval '3 days'
from (values
  (1, 3), (1, 8), (2, 1), (4, 3), (4, 32), (6, 1), (6, 41), (7, 3), (7, 33), (11, 10), (13, 12), (14, 10), (15, 1),
  (17, 27), (18, 27), (20, 19), (26, 8), (31, 30), (32, 30), (33, 30), (35, 34), (36, 34), (36, 37), (38, 37), (37, 34),
  (40, 37), (42, 33), (43, 24), (45, 46), (47, 46), (51, 49), (51, 50), (54, 53), (55, 33), (58, 57), (60, 59), (64, 63),
  (65, 63), (68, 26)
) as pairs (task, needs)
on conflict do nothing;

-- Activities -------------------------------------------------------------------------------------
-- Each task tells how it came to its stage; people, not agents, passed it through the reviews.
insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details, created_at)
select pg_temp.id_of('activity', n * 10), pg_temp.id_of('workspace', 1), pg_temp.id_of('task', n),
  pg_temp.id_of('user', case when n % 3 = 0 then 1 else 2 end), 'task_created',
  jsonb_build_object('title', title, 'stage', 'PLAN'), now() - days * interval '1 day'
from seed_tasks
on conflict do nothing;

insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details, created_at)
select pg_temp.id_of('activity', n * 10 + step), pg_temp.id_of('workspace', 1), pg_temp.id_of('task', n),
  pg_temp.id_of('user', case
    when stages[step] like '%_REVIEW' then case when n % 2 = 0 then 1 else 2 end
    else coalesce(nullif(assignee, 1), 4) end),
  'stage_changed', jsonb_build_object('from', stages[step], 'to', stages[step + 1]),
  now() - (days - days * 0.5 * step / array_position(stages, stage)) * interval '1 day'
from seed_tasks,
  (select array['PLAN', 'PLAN_REVIEW', 'IMPLEMENT', 'VALIDATE', 'CODE_REVIEW', 'COMMIT'] as stages) as workflow,
  generate_series(1, array_position(stages, stage) - 1) as step
on conflict do nothing;

insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details, created_at)
select pg_temp.id_of('activity', 10000 + (row_number() over (order by task, days desc))::integer), pg_temp.id_of('workspace', 1),
  pg_temp.id_of('task', task), pg_temp.id_of('user', actor), 'comment', jsonb_build_object('text', text),
  now() - days * interval '1 day'
from (values
  (1, 2, 13.5, 'Pilot device 4 lost two findings on the crane because the request timed out and the form was closed. This one first.'),
  (1, 4, 13.0, 'Plan: one batch for finding, photo entry and activity; the screen observes the record; sync is told afterwards. The request code leaves the screen entirely.'),
  (1, 1, 12.8, 'Agreed. Please also cover the battery being pulled, not only the app being killed.'),
  (1, 4, 11.0, 'The batch is in. Median from tap to visible went from 640 ms to 9 ms on the slow tablet.'),
  (1, 2, 9.4, 'With synchronous=NORMAL I lost one of forty after pulling the battery.'),
  (1, 4, 9.1, 'Set to FULL; costs 3 ms for each tap on that tablet. Lost none of two hundred.'),
  (1, 2, 9.0, 'Worth it.'),
  (1, 4, 7.2, 'The form kept its own copy of the text. Removed: there is one truth, the record.'),
  (1, 1, 6.9, 'Looked at it on the quay with the radio off. This feels right.'),
  (1, 4, 6.5, 'Split off the kill test so that it can run every night.'),
  (1, 2, 5.8, 'What happens when the disk is full?'),
  (1, 4, 5.6, 'The write fails and the form says so, but only after the photo was taken. Filed as a subtask.'),
  (1, 4, 4.1, 'Kill test: 100 of 100 kept with the app killed 0 to 50 ms after the tap. Battery test still by hand.'),
  (1, 2, 3.3, 'Draft findings: are they saved too?'),
  (1, 4, 3.2, 'Not yet. A draft becomes a record on the first change, so that leaving the screen keeps it.'),
  (1, 1, 2.0, 'Do drafts count as pending in the header?'),
  (1, 4, 1.9, 'No: only what the inspector has saved.'),
  (1, 2, 0.8, 'Remaining before review: drafts, and the text for a failed write.'),
  (2, 4, 9.0, 'Counter reads the number of dirty records the database keeps anyway; no query on tap.'),
  (2, 2, 4.5, 'The list says "timeout" in one place. Inspectors will not know what that is.'),
  (2, 4, 4.2, 'Now: "The network was too slow. It will be tried again by itself."'),
  (2, 4, 1.1, 'Ready for review. Screens attached to the change.'),
  (4, 4, 3.0, 'Route of 80 checks opens in 410 ms cold on the oldest tablet. Photos of earlier findings come as thumbnails only.'),
  (5, 4, 2.5, 'Plan is up. Open question: what to do with edits made while the offset was unknown? Proposal: take the offset of the next sync.'),
  (7, 2, 4.0, 'Blocked: pilot findings have ids the service does not accept. Need the id mapping first.'),
  (10, 4, 3.6, 'Shutter is free after 210 ms on the slow tablet, 90 ms on a phone from last year.'),
  (11, 4, 1.4, 'Plan is up: 256 KB chunks, state in the local database, checksum for each chunk and for the whole.'),
  (12, 1, 2.2, 'Arrow heads vanish against light concrete. A thin dark outline would do.'),
  (12, 2, 1.8, 'Added the outline. Also for circles.'),
  (15, 2, 1.5, 'Forty shots with "do not keep activities" switched on: all forty came back.'),
  (17, 1, 5.0, 'Video from the quay: every ninth tap in gloves misses. Most misses are on the note button.'),
  (22, 4, 3.7, 'Profile attached. Reading all routes: 1.6 s. Fonts: 0.2 s. The rest is the framework.'),
  (26, 4, 24.0, 'Reproduced by dropping the answer of the push. Stored batches fix it; a test drops one answer in three.'),
  (27, 1, 17.5, 'Forty-one remarks, sorted. Twelve of them say "slow" and mean start-up.'),
  (34, 4, 5.1, 'Severity and location merge on their own now. Status and date still go together.'),
  (34, 2, 4.8, 'Please add the case from the pilot: one closes, the other adds a photo.'),
  (34, 4, 4.4, 'Added. Result: closed, with the photo. Nobody is asked.'),
  (35, 4, 1.2, 'Ready for review. Words, not characters: merging by characters made up new words in 3 of 200 samples.'),
  (36, 4, 0.9, 'Sentences for the twelve most frequent conflicts are in the plan. Please read them aloud.'),
  (37, 2, 2.6, 'Ledger entries are written in the transaction of the merge; killed the process between the two a thousand times to be sure.'),
  (43, 4, 2.1, 'Proposal: 120 requests a minute for each device, bursts of 30.'),
  (46, 1, 0.5, 'Second port asks for five more working days.'),
  (51, 4, 0.2, 'Night run 3: 100 kills, 100 acknowledged, 0 lost.')
) as comments (task, actor, days, text)
on conflict do nothing;

-- Requests for review of tasks that wait at a checkpoint; one was sent back once.
insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details, created_at)
select pg_temp.id_of('activity', 20000 + n), pg_temp.id_of('workspace', 1), pg_temp.id_of('task', task), pg_temp.id_of('user', actor),
  kind, replace(replace(details, '%owner', pg_temp.id_of('user', 1)::text), '%s', pg_temp.id_of('activity', 20003)::text)::jsonb, now() - days * interval '1 day'
from (values
  (1, 2, 4, 'review_requested', 0.15, '{"stage": "CODE_REVIEW", "text": "The list of what waits reads the outbox itself, so it is right without a network too.\n\n- `waiting.ts` counts by kind, oldest first\n- the badge is hidden at zero\n\nPlease look at the wording for photos that are half uploaded.", "branch": "waiting-list", "commit": "4be1c07"}'),
  (2, 5, 4, 'review_requested', 0.3, '{"stage": "PLAN_REVIEW", "text": "1. Ask the server for its time with each sync, and keep the difference.\n2. Stamp edits with the corrected time.\n3. Test with clocks that are six hours wrong, both ways."}'),
  (3, 11, 4, 'review_requested', 1.4, '{"stage": "PLAN_REVIEW", "text": "Split a photo into chunks of 1 MB, and remember in the local database which have arrived. A checksum for the whole photo."}'),
  (4, 11, 1, 'review_returned', 1.1, '{"stage": "PLAN_REVIEW", "request": "%s", "reason": "1 MB takes a minute at the outer quay. Smaller chunks, and a checksum for each, please."}'),
  (5, 11, 4, 'review_requested', 0.4, '{"stage": "PLAN_REVIEW", "text": "Split a photo into chunks of 256 KB, and remember in the local database which have arrived. A checksum for each chunk and for the whole photo."}'),
  (6, 18, 4, 'review_requested', 0.6, '{"stage": "PLAN_REVIEW", "text": "A second set of colours, each pair at 7:1 or better, switched by the sensor for light or by hand."}'),
  (7, 35, 4, 'review_requested', 0.2, '{"stage": "CODE_REVIEW", "text": "Notes merge by words. 200 samples from the pilot: 188 merge by themselves, 12 are asked about.", "branch": "merge-words", "commit": "90ad2e1"}'),
  (8, 36, 4, 'review_requested', 0.1, '{"stage": "PLAN_REVIEW", "text": "Twelve sentences for the twelve most frequent conflicts. Each names who changed what, and what was chosen."}'),
  (9, 27, 4, 'question', 0.25, '{"to": "%owner", "text": "Twelve remarks say \"slow\". Shall I make one task of them, or one for each screen?"}'),
  (10, 34, 2, 'comment', 0.12, '{"mentions": ["%owner"], "text": "@Owner the third port asks whether closed findings can be opened again. Can they?"}')
) as rows (n, task, actor, kind, days, details) on conflict do nothing;
drop table seed_tasks;

-- Patterns ---------------------------------------------------------------------------------------
insert into public.patterns (id, workspace_id, project_id, name, description, pattern_type, content, created_at)
select pg_temp.id_of('pattern', n), pg_temp.id_of('workspace', 1), pg_temp.id_of('project', project), name, description,
  type, content::jsonb, now() - interval '40 days'
from (values
  (1, null, 'Expected failures are values', 'Functions that can fail at times return a result; exceptions are for bugs.', 'error_handling', '{"example": "const saved = await saveFinding(draft);\nif (!saved.ok) return showProblem(saved.error);", "language": "typescript"}'),
  (2, null, 'Test names cite the rule', 'Rules are numbered in the specification, and a test''s title starts with the number.', 'testing', '{"example": "it(''U2: a push whose answer was lost is applied once'', ...)", "language": "typescript"}'),
  (3, 1, 'Screens observe records', 'A screen reads from the local database and never from a request.', 'architecture', '{"do": "useFinding(id)", "avoid": "useEffect(() => fetch(...))", "language": "typescript"}'),
  (4, 1, 'One tap, one batch', 'Everything a tap changes is written in one database batch.', 'data', '{"example": "await database.batch(finding.prepareUpdate(...), photos.prepareCreate(...), feed.prepareCreate(...));", "language": "typescript"}'),
  (5, 2, 'Lock the clock first', 'A writing transaction takes the lock of its scope''s clock before it reads what it will check.', 'concurrency', '{"example": "select lock_scope(port_id);", "why": "Checks made before the lock can be outdated when the transaction commits."}'),
  (6, 2, 'Checks act as the user', 'Policies are tested while acting as each role, never as the superuser.', 'security', '{"example": "set local role authenticated;", "language": "sql"}')
) as rows (n, project, name, description, type, content)
on conflict do nothing;

-- Best practices ---------------------------------------------------------------------------------
insert into public.best_practices (id, workspace_id, project_id, name, description, category, content, created_at)
select pg_temp.id_of('practice', n), pg_temp.id_of('workspace', 1), pg_temp.id_of('project', project), name, description,
  category, content::jsonb, now() - interval '40 days'
from (values
  (1, null, 'Measure on the oldest device', 'Figures from a developer''s machine are not figures.', 'performance', '{"steps": ["Use tablet 7 of the pilot", "Warm up once, measure five times", "Report the median and the worst"]}'),
  (2, null, 'Write texts for somebody on a ladder', 'Short, plain, and saying what to do next.', 'writing', '{"do": "No network. Your finding is saved and will be sent later.", "avoid": "Error: request failed with status 0"}'),
  (3, 1, 'Try it in gloves', 'Before review, every new control is used in work gloves, outdoors.', 'design', '{"steps": ["Outdoor theme on", "Brightness at the maximum", "Left hand, then right hand"]}'),
  (4, 1, 'Never block the shutter', 'Whatever happens to a photo happens after the camera is free again.', 'performance', '{"limit": "300 ms"}'),
  (5, 2, 'Every migration can be run twice', 'And is tried on a copy of the pilot database first.', 'database', '{"steps": ["Run on the copy", "Run again", "Compare row counts"]}')
) as rows (n, project, name, description, category, content)
on conflict do nothing;

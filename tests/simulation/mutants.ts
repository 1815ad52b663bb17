/** Bugs that are planted in the code of devices or in the server's SQL, to see that the simulation finds them. */

import type { Replacement } from '../support/variant';
import { FOUND_BY } from './foundBy';
import type { Outcome } from './run';

export interface Mutant {
  name: string;
  /** What is wrong with it. */
  bug: string;
  edits: readonly Replacement[];
  /** The first seed, counted from 1, in which a promise is broken. */
  foundBy: number;
  /** The rules that it breaks, where no others count. */
  rules?: readonly string[];
}

/** A run or a sync that crashes has not found the bug, but fallen over it. */
export function isCaught({ order, outcome }: { order: { mutant?: string }; outcome: Outcome }): boolean {
  const rules = MUTANTS.find(({ name }) => name === order.mutant)?.rules;
  return outcome.violations.some(
    ({ rule }) => rules?.includes(rule) ?? (rule !== 'unexpected' && rule !== 'D5'),
  );
}

const SQL = 'supabase/schemas';
const SYNC = 'src/lib/watermelon/sync';

type Name = keyof typeof FOUND_BY;

function mutant(
  name: Name,
  bug: string,
  file: string,
  find: string,
  replace: string,
  rules?: readonly string[],
): Mutant {
  return { name, bug, edits: [{ file, find, replace }], foundBy: FOUND_BY[name], rules };
}

export const MUTANTS: readonly Mutant[] = [
  mutant(
    'revision-shared',
    'Two transactions get the same revision, as they would if the clock were not locked.',
    `${SQL}/01_scopes.sql`,
    '  update convoy.scope_clocks c\n    set revision = c.revision + 1,',
    `  if random() < 0.4 then
    update convoy.scope_clocks c set bumped_in = pg_current_xact_id(), bumped_at = now()
      where c.scope_id = scope returning c.revision into bumped;
    return bumped;
  end if;
  update convoy.scope_clocks c
    set revision = c.revision + 1,`,
  ),
  mutant(
    'cursor-newer-than-rows',
    'A pull answers with a head that is newer than the rows it read, as it would with a snapshot for each statement.',
    `${SQL}/11_sync_pull.sql`,
    'wanted.from_revision, wanted.from_id, wanted.to_revision, wanted.skip,\n      page.rows_left',
    `wanted.from_revision, wanted.from_id,
      wanted.to_revision - (wanted.tables is null and random() < 0.3)::integer, wanted.skip,
      page.rows_left`,
  ),
  mutant(
    'ledger-dropped',
    'Conflicts are settled without a trace in the ledger.',
    `${SYNC}/setAside/ledger.ts`,
    '  context.work.also(() =>\n    context.database.of(Conflict)',
    '  if (context.deviceId) return;\n  context.work.also(() =>\n    context.database.of(Conflict)',
  ),
  mutant(
    'edit-in-flight-dropped',
    'A record counts as clean when its push is acknowledged, although it was edited meanwhile.',
    `${SYNC}/push/acknowledge.ts`,
    '} else if (!sameValue(change.table, name, current[name] ?? null, sentValue)) {',
    '} else if (context.now < 0) {',
  ),
  mutant(
    'update-of-nothing-applied',
    'An update that touches no row, since the record was deleted, counts as a success.',
    `${SQL}/13_push_decide.sql`,
    "when c.op = 'delete' and c.row_workspace = c.workspace_id",
    'when c.row_workspace = c.workspace_id',
  ),
  mutant(
    'no-cascade',
    'What hangs under a deleted record stays.',
    `${SQL}/02_synced_tables.sql`,
    "if mode = 'steps' or not exists (select from convoy.children_of(tg_table_name)) then",
    'if true then',
  ),
  mutant(
    'echo-filter-too-wide',
    'A device leaves out one revision more than the ones it made.',
    `${SYNC}/push/applyAnswer.ts`,
    ': [...state.skip, made.revision];',
    ': [...state.skip, made.revision, made.revision + 1];',
  ),
  mutant(
    'history-ignored',
    'The server does not look at the tag of a cursor.',
    `${SQL}/10_requests.sql`,
    'where r.scope_id = scope and r.revision = at and r.tag = at_tag)',
    'where r.scope_id = scope and r.revision = at)',
  ),
  mutant(
    'purge-forgets-unsynced',
    'Lost access takes unsynced work along.',
    `${SYNC}/pull/purge.ts`,
    "  if (archiving) context.work.run('sync_archive',",
    "  if (why === 'forgotten' && archiving) context.work.run('sync_archive',",
  ),
  mutant(
    'merge-takes-local',
    'In a conflict the local value always wins.',
    `${SYNC}/merge/mergeRecord.ts`,
    "const side = policy === 'later' && isLater(input, columns) ? local : remote;",
    'const side = local;',
  ),
  mutant(
    'cursor-before-rows',
    'Cursors are saved before the rows they stand for.',
    `${SYNC}/pull/applyAnswer.ts`,
    '  const applied = await sync.write(async () => {\n    const context = { ...makeContext(sync, changes), deletedInDoubt };',
    `  await sync.database.write(() =>
    sync.database.batch(
      answer.scopes.flatMap(({ id, role }) => {
        const cursor = answer.cursors[id];
        const skip = sync.store.scopes.get(id)?.skip ?? [];
        return cursor ? [sync.store.prepareScope(id, { cursor, role: toScopeRole(role), skip })] : [];
      }),
    ),
  );
  const applied = await sync.write(async () => {
    const context = { ...makeContext(sync, changes), deletedInDoubt };`,
  ),
  mutant(
    'backoff-never-ends',
    'After a failure nothing is tried again.',
    `${SYNC}/automatic/schedule.ts`,
    'waitMs: asked + backoffMs(failures, random),',
    'waitMs: 1e12,',
  ),
  mutant(
    'remap-misses-a-key',
    'A foreign key goes out with the id that the record has on this device alone.',
    `${SYNC}/records/codec.ts`,
    "return column.to === 'user' ? value : ids.toRemote(value as string);",
    "return column.to === 'user' || column.to === 'milestones' ? value : ids.toRemote(value as string);",
  ),
  mutant(
    'checkpoint-in-client-alone',
    'The server lets agents past checkpoints; only the Context Service on the device stops them.',
    `${SQL}/06_tasks.sql`,
    'if found and convoy.stops_at_checkpoints(new.workspace_id) then',
    'if false then',
  ),
  mutant(
    'retry-as-new-batch',
    'A batch whose answer was lost is sent again under a new number.',
    `${SYNC}/pushSync.ts`,
    '  const run: PushRun = {',
    '  await dropVoid(sync, {});\n  const run: PushRun = {',
  ),
  mutant(
    'void-not-kept',
    'The server says that a batch is void, and takes a late copy of it all the same.',
    `${SQL}/16_sync_push.sql`,
    'set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = null,',
    'set user_id = auth.uid(), key = batch_key, hash = null,',
  ),
  mutant(
    'dropped-unasked',
    'A batch that was not answered in time is split without asking what became of it.',
    `${SYNC}/pushSync.ts`,
    "  if (!('void' in asked.value)) return applyTo(run, batch, asked.value);",
    '',
  ),
  mutant(
    'late-answer-lowers',
    'An answer that is heard late puts back what was pulled since.',
    `${SYNC}/push/acknowledge.ts`,
    "return current._status !== 'created' && Number(current.revision) >= revision;",
    'return Number(current.revision) < revision - 1e9;',
  ),
  mutant(
    'replay-applied-again',
    'The server takes a batch that it has answered for a new one.',
    `${SQL}/24_push_ledger.sql`,
    '  if batch_no > known.batch then',
    '  if batch_no >= known.batch then',
  ),
  mutant(
    'delete-unseen',
    'A deletion takes along what others wrote there unseen.',
    `${SQL}/14_push_conflicts.sql`,
    'where r.scope_id = c.workspace_id and r.revision > c.base and r.revision <> all (',
    'where false and r.revision <> all (',
  ),
  {
    name: 'groups-torn',
    bug: 'Changes of one transaction are pushed one by one: activities go without the change that they tell of.',
    edits: [
      {
        file: 'src/lib/watermelon/database.ts',
        find: 'if (edited.length < 2 && ',
        replace: 'if (edited.length < 200 && ',
      },
      {
        file: `${SYNC}/push/groups.ts`,
        find: 'if (!isMoot && unit) unit.push(item);',
        replace: 'if (tale !== undefined) alone.push(item);',
      },
    ],
    foundBy: FOUND_BY['groups-torn'],
  },
  mutant(
    'viewers-write',
    'The server takes changes from viewers, whom only the device stops.',
    `${SQL}/01_scopes.sql`,
    "  ('editor', array['task_dependencies'], array['insert', 'delete']),",
    `  ('editor', array['task_dependencies'], array['insert', 'delete']),
  ('viewer', array['tasks', 'projects', 'milestones'], array['insert', 'update', 'delete']),
  ('viewer', array['activity_feed'], array['insert']),`,
  ),
  mutant(
    'former-members-read',
    'A pull still answers with workspaces that the user was removed from.',
    `${SQL}/11_sync_pull.sql`,
    'where m.user_id = me and m.deleted_at is null',
    'where m.user_id = me',
  ),
  mutant(
    'base-moves-on-unseen',
    'A column edited during a push takes over the revision of that push as its base.',
    `${SYNC}/push/acknowledge.ts`,
    'const editedOn = merged && unsent && base ? base.revision : at.seen;',
    'const editedOn = merged && unsent && base ? at.seen : at.seen;',
  ),
  mutant(
    'members-uninvited',
    'An owner makes a member of whomever they name.',
    `${SQL}/01_scopes.sql`,
    "  ('owner', array['workspace_members'], array['update', 'delete']),",
    "  ('owner', array['workspace_members'], array['insert', 'update', 'delete']),",
  ),
  mutant(
    'entries-forged',
    'The feed takes what anybody says of settled conflicts.',
    `${SQL}/27_push_activities.sql`,
    "          and t.workspace_id || ' ' || t.about || ' ' || t.subject = any (settled))",
    '          )',
  ),
  mutant(
    'unreadable-stored',
    'A device stores rows beyond the limits as they are.',
    `${SYNC}/records/readable.ts`,
    'if (faults.size === 0) continue;',
    'if (faults.size >= 0) continue;',
  ),
  mutant(
    'unreadable-untold',
    'A device forgets which rows it could not store.',
    `${SYNC}/setAside/unreadable.ts`,
    'context.work.also(() => store.prepareUnreadable({ ...row, since: context.now }));',
    '',
  ),
  mutant(
    'unreadable-for-ever',
    'A row that could not be stored once counts as such when it has been repaired.',
    `${SYNC}/setAside/unreadable.ts`,
    'for (const [table, ids] of arrived) {',
    'for (const [table, ids] of Object.entries(deleted)) {',
  ),
  mutant(
    'download-cut-short',
    'A download is given up after a time, though its bytes come.',
    'src/lib/supabase/rpc.ts',
    'onReceiving: () => waitAnew(0),',
    'onReceiving: () => {},',
  ),
  mutant(
    'steps-untaken',
    'No device takes the steps of a deletion.',
    `${SYNC}/synchronize.ts`,
    'const isUnsettled = !error && pulled.unsettled && (await takeSteps(context, signal, pulled));',
    'const isUnsettled = false;',
  ),
  mutant(
    'lists-untold',
    'Lists do not follow what pages and other processes write.',
    'src/lib/watermelon/database.ts',
    'replicaOf(this, (tables) => this.unnamedWrites.next(tables))',
    'replicaOf(this, () => undefined)',
  ),
  mutant(
    'memory-untold',
    'Records in memory do not follow the rows of pages.',
    'src/platform/sqlite/adapter.ts',
    'if (changes.length > 0) replica.takeOver(changes);',
    'if (changes.length > 0) replica.takeOver(changes.map((change) => ({ ...change, rows: [] })));',
  ),
  mutant(
    'expected-ignored',
    'The server ignores what an update expects, as one of before protocol 6 would.',
    `${SQL}/16_sync_push.sql`,
    'if exists (select from unnest(changes) c where c.expected is not null) then',
    'if false then',
  ),
  {
    name: 'lease-by-device-clock',
    bug: 'A lease begins when the device says that it does.',
    edits: [
      {
        file: 'src/lib/watermelon/context/localWork.ts',
        find: 'remote.claimTask(remoteIdOf(record), sent(request))',
        replace: 'remote.claimTask(remoteIdOf(record), { ...sent(request), at: clock.now() })',
      },
      {
        file: 'src/lib/supabase/work.ts',
        find: "ask('claim_task', { task_id, claim_id, minutes, resume })",
        replace: "ask('claim_task', { task_id, claim_id, minutes, resume, at: options.at ?? Date.now() })",
      },
      {
        file: `${SQL}/30_claims.sql`,
        find: "clock_timestamp() + convoy.lease_minutes(request -> 'minutes') * interval '1 minute', request",
        replace:
          "to_timestamp((request ->> 'at')::double precision / 1000) + convoy.lease_minutes(request -> 'minutes') * interval '1 minute', request",
      },
    ],
    foundBy: FOUND_BY['lease-by-device-clock'],
  },
  mutant(
    'heartbeat-as-news',
    'Claims, and each renewal, count as news of the task.',
    `${SQL}/02_synced_tables.sql`,
    "then (field_revisions -> 'news' ->> 1)::bigint else revision end;",
    'then revision else revision end;',
  ),
  mutant(
    'key-reused',
    'After a restore, the counter does not pass the key of a task that is made again.',
    `${SQL}/33_keys.sql`,
    'do update set last = excluded.last, free = c.free + excluded.free;',
    'do update set free = c.free + excluded.free;',
  ),
  mutant(
    'kind-forged',
    'A user is of the kind that the user says, and not the service.',
    `${SQL}/03_profiles.sql`,
    "case when new.raw_app_meta_data ->> 'kind' = 'agent' then 'agent' else 'human' end)",
    "case when coalesce(new.raw_user_meta_data ->> 'kind', new.raw_app_meta_data ->> 'kind') = 'agent' then 'agent' else 'human' end)",
  ),
  mutant(
    'pause-in-client-alone',
    'The server takes changes from an agent that is paused, whom only the device stops.',
    `${SQL}/13_push_decide.sql`,
    'paused constant uuid[] := array(select convoy.paused_scopes());',
    "paused constant uuid[] := '{}';",
  ),
  mutant(
    'approval-of-an-older-request',
    'A review is settled by an older request than the newest one.',
    `${SQL}/36_reviews.sql`,
    'when r.newness > 1',
    'when r.newness > 1000',
  ),
  mutant(
    'two-sessions-one-claim',
    'A second session of the same user takes over the claim of the first one unasked.',
    `${SQL}/30_claims.sql`,
    "        or task.claim_id <> request ->> 'claim_id' and task.claim_id is distinct from request ->> 'resume'\n",
    '',
    ['C9'],
  ),
  mutant(
    'review-forged',
    'Agents approve and return what they have written.',
    `${SQL}/36_reviews.sql`,
    'when b.is_bound then case',
    'when false then case',
    ['V2'],
  ),
];

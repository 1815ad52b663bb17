/** The inbox from the local database (section 9 of `docs/work-model.md`); the server's half is in `39_inbox.sql`. */

import type { Observable } from 'rxjs';
import { COMMENT_TYPES, foldComments } from '@/domain/comments';
import type { Activity, Task, WorkspaceMember } from '@/domain/entities';
import {
  addressedTo,
  type Inbox,
  type InboxFacts,
  type InboxMessage,
  inboxOf,
  inboxTask,
  MOST_IN_INBOX,
  messageOf,
  type ReviewFacts,
} from '@/domain/inbox';
import { REVIEW_TYPES, reviewOf } from '@/domain/reviews';
import { SYNCED_TABLES } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { ADDRESSES_SOMEBODY } from '../models/schema';
import type { RawValue } from '../models/watermelondb';
import { observeRead } from '../observation/observeRead';
import { readSetAside } from './inboxSetAside';
import type { LocalFirst } from './localFirst';
import { type LocalStore, rowToEntity, selectEntities } from './localStore';

type Rows = readonly (readonly RawValue[])[];

/** What waits for the user of this device, as far as it knows. */
export async function readInbox({ store, userId }: LocalFirst): Promise<Inbox> {
  const [reviews, messages, setAside] = await Promise.all([
    readReviews(store, userId),
    readMessages(store, userId),
    readSetAside(store),
  ]);
  const facts: InboxFacts = {
    reviews: reviews.facts,
    questions: messages.questions,
    mentions: messages.mentions,
    is_cut: reviews.isFull || messages.isFull,
  };
  const inbox = inboxOf(facts, userId);
  return { ...inbox, ...setAside, is_cut: inbox.is_cut || setAside.is_cut };
}

/** What waits for the user, now and whenever it changes. */
export function observeInbox(local: LocalFirst): Observable<Inbox> {
  const tables = [...SYNCED_TABLES, 'sync_conflicts', 'sync_quarantine'] as const;
  return observeRead(local.store.database, tables, () => readInbox(local));
}

/** Tasks `t` that wait at a checkpoint, where milestone and project are open (N3); the first of them in an order. */
const waiting = (where: string) => `with stages (workflow_id, name) as materialized (
    select w.id, json_extract(s.value, '$.name') from workflows w, json_each(w.stages) s
    where w._status <> 'deleted' and json_extract(s.value, '$.is_checkpoint') = 1)
  select t.id, t.updated_at from tasks t
    join milestones m on m.id = t.milestone_id and m._status <> 'deleted' and m.status not in ('completed', 'cancelled')
    join projects p on p.id = m.project_id and p._status <> 'deleted' and p.status not in ('paused', 'completed', 'archived')
  where ${where} and t._status <> 'deleted' and t.status in ('todo', 'in_progress', 'blocked')
    and exists (select 1 from stages s
      where s.workflow_id = coalesce(t.workflow_id, '${STANDARD_WORKFLOW_ID}') and s.name = t.current_stage)
    and t.workspace_id not in (select value from json_each(?)) and t.workspace_id <> '${GLOBAL_SCOPE_ID}'
  order by t.updated_at, t.id limit ${MOST_IN_INBOX + 1}`;

const OWN = waiting('t.assignee_id = ?');
const HELD = waiting(
  `t.claimed_by in (select user_id from workspace_members where made_by = ? and _status <> 'deleted')`,
);
/** Of one stage: in the order of its index, and so no further than the limit. */
const OF_STAGE = waiting('t.current_stage = ?');
const CHECKPOINTS = `select distinct json_extract(s.value, '$.name') from workflows w, json_each(w.stages) s
  where w._status <> 'deleted' and json_extract(s.value, '$.is_checkpoint') = 1`;

async function readReviews(
  store: LocalStore,
  userId: string,
): Promise<{ facts: ReviewFacts[]; isFull: boolean }> {
  const leaving = JSON.stringify([...store.database.standing.leaving]);
  const [names = []] = await store.database.readAll([{ sql: CHECKPOINTS, args: [] }]);
  const [own = [], held = [], ...ofStages] = await store.database.readAll([
    { sql: OWN, args: [userId, leaving] },
    { sql: HELD, args: [userId, leaving] },
    ...names.map(([name]) => ({ sql: OF_STAGE, args: [String(name), leaving] })),
  ]);
  const all = ofStages.flat().sort(([, one], [, other]) => Number(one) - Number(other));
  const lists: Rows[] = [own, held, all];
  const isFull = lists.some(({ length }) => length > MOST_IN_INBOX);
  const ids = new Set(lists.flatMap((rows) => rows.slice(0, MOST_IN_INBOX).map(([id]) => String(id))));
  const tasks = await readTasks(store, [...ids]);
  const requests = await openRequests(store, tasks);
  const members = await membersOf(store, tasks, requests, userId);
  const facts = tasks.map((task) => ({
    task: inboxTask(task),
    request: requests.get(task.id) ?? null,
    updated_at: task.updated_at,
    members: members.filter(({ workspace_id }) => workspace_id === task.workspace_id),
  }));
  return { facts, isFull };
}

const among = (column: string) => `"${column}" in (select "value" from json_each(?))`;

async function rowsWhere<T>(
  store: LocalStore,
  table: Parameters<typeof selectEntities>[0],
  where: string,
  args: string[],
  order = '',
): Promise<T[]> {
  const [rows = []] = await store.database.readAll([{ sql: selectEntities(table, where, order), args }]);
  return rows.map((row) => rowToEntity<T>(table, row));
}

const readTasks = (store: LocalStore, ids: readonly string[]) =>
  rowsWhere<Task>(store, 'tasks', among('id'), [JSON.stringify(ids)]);

/** The entries of some tasks of these kinds, by task, in the order in which the server took them. */
async function entriesOf(
  store: LocalStore,
  taskIds: readonly string[],
  types: readonly string[],
): Promise<Map<string, Activity[]>> {
  const entries = await rowsWhere<Activity>(
    store,
    'activity_feed',
    `${among('task_id')} and +${among('activity_type')}`,
    [JSON.stringify(taskIds), JSON.stringify(types)],
    `order by "_status" = 'created', "revision", "created_at", "id"`,
  );
  const byTask = new Map<string, Activity[]>();
  for (const entry of entries) {
    const id = String(entry.task_id);
    const own = byTask.get(id);
    if (own) own.push(entry);
    else byTask.set(id, [entry]);
  }
  return byTask;
}

async function openRequests(
  store: LocalStore,
  tasks: readonly Task[],
): Promise<Map<string, NonNullable<ReviewFacts['request']>>> {
  const entries = await entriesOf(
    store,
    tasks.map(({ id }) => id),
    REVIEW_TYPES,
  );
  const requests = new Map<string, NonNullable<ReviewFacts['request']>>();
  for (const task of tasks) {
    const review = reviewOf(task, entries.get(task.id) ?? []);
    if (review?.state !== 'open') continue;
    const { id, stage, text, branch, commit, requested_by, requested_at } = review;
    requests.set(task.id, { id, stage, text, branch, commit, requested_by, requested_at });
  }
  return requests;
}

/** The memberships that decide about reviewers: of the user, of assignees, of those who work, and of their makers. */
async function membersOf(
  store: LocalStore,
  tasks: readonly Task[],
  requests: ReadonlyMap<string, NonNullable<ReviewFacts['request']>>,
  userId: string,
): Promise<WorkspaceMember[]> {
  const named = tasks.flatMap(({ id, assignee_id, claimed_by }) => [
    assignee_id,
    claimed_by,
    requests.get(id)?.requested_by ?? null,
  ]);
  const scopes = JSON.stringify([...new Set(tasks.map(({ workspace_id }) => workspace_id))]);
  const membersAmong = (users: readonly (string | null)[]) =>
    rowsWhere<WorkspaceMember>(
      store,
      'workspace_members',
      `+${among('workspace_id')} and ${among('user_id')}`,
      [scopes, JSON.stringify([...new Set(users)].filter((id) => id !== null))],
    );
  const members = await membersAmong([userId, ...named]);
  const known = new Set(members.map(({ user_id }) => user_id));
  const makers = members.flatMap(({ made_by }) => (made_by !== null && !known.has(made_by) ? [made_by] : []));
  return makers.length === 0 ? members : [...members, ...(await membersAmong(makers))];
}

/**
 * Entries that ask or mention the user, and may wait for them: a question that no entry answers, a mention after which they wrote
 * nothing. Deletions and edits are judged afterwards.
 */
const QUESTIONS = `select a.task_id from activity_feed a
  where a.activity_type = 'question' and ${ADDRESSES_SOMEBODY} and a._status <> 'deleted'
    and json_extract(a.details, '$.to') = ? and a.workspace_id not in (select value from json_each(?))
    and json_extract(a.details, '$.deleted') is null
    and not exists (select 1 from activity_feed o
      where o.task_id = a.task_id and +o.activity_type = 'answer' and o._status <> 'deleted'
        and json_extract(o.details, '$.question') = a.id and json_extract(o.details, '$.deleted') is null
        and not exists (select 1 from activity_feed d
          where d.task_id = o.task_id and +d.activity_type = 'comment_deleted' and d._status <> 'deleted'
            and json_extract(d.details, '$.comment') = o.id))
  order by a.created_at desc, a.id desc limit ${MOST_IN_INBOX + 1}`;
/** The user's own last words on each task are read once: looked up for each mention, those of a crowded task are read again and again. */
const MENTIONS = `with own (task_id, last) as materialized (
    select o.task_id, max(o.created_at) from activity_feed o
    where o.actor_id = ? and +o.activity_type in ('comment', 'question', 'answer') and o._status <> 'deleted'
    group by o.task_id)
  select a.task_id from activity_feed a left join own on own.task_id = a.task_id
  where a.activity_type in ('comment', 'comment_edited') and ${ADDRESSES_SOMEBODY} and a._status <> 'deleted'
    and instr(a.details, ?) > 0 and a.workspace_id not in (select value from json_each(?))
    and a.actor_id is not ? and json_extract(a.details, '$.deleted') is null
    and (own.last is null or own.last <= a.created_at)
  order by a.created_at desc, a.id desc limit ${MOST_IN_INBOX + 1}`;

async function readMessages(
  store: LocalStore,
  userId: string,
): Promise<{ questions: InboxMessage[]; mentions: InboxMessage[]; isFull: boolean }> {
  const leaving = JSON.stringify([...store.database.standing.leaving]);
  const found: Rows[] = await store.database.readAll([
    { sql: QUESTIONS, args: [userId, leaving] },
    { sql: MENTIONS, args: [userId, userId, leaving, userId] },
  ]);
  const ids = [...new Set(found.flat().map(([id]) => String(id)))];
  const [tasks, entries] = await Promise.all([readTasks(store, ids), entriesOf(store, ids, COMMENT_TYPES)]);
  const lists = { questions: [] as InboxMessage[], mentions: [] as InboxMessage[] };
  for (const task of tasks) {
    const own = entries.get(task.id) ?? [];
    for (const { comment, since, list } of addressedTo(foldComments(own), own, userId)) {
      lists[list].push(messageOf(comment, task, since));
    }
  }
  return { ...lists, isFull: found.some(({ length }) => length > MOST_IN_INBOX) };
}

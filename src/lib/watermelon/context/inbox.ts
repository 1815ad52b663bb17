/** The inbox from the local database (section 9 of `docs/work-model.md`); the server's half is in `39_inbox.sql`. */

import type { Observable } from 'rxjs';
import type { Activity, Task, WorkspaceMember } from '@/domain/entities';
import {
  type Inbox,
  type InboxFacts,
  inboxOf,
  inboxTask,
  MOST_IN_INBOX,
  type ReviewFacts,
} from '@/domain/inbox';
import { type REVIEW_TYPES, reviewOf } from '@/domain/reviews';
import { SYNCED_TABLES } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { aboutEntry } from '../models/schema';
import type { RawValue } from '../models/watermelondb';
import { observeRead } from '../observation/observeRead';
import { readMessages } from './inboxMessages';
import { among, readTasks, rowsWhere } from './inboxRows';
import { readSetAside } from './inboxSetAside';
import type { LocalFirst } from './localFirst';
import type { LocalStore } from './localStore';

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

const IN_OPEN_PLACE = `milestones m
    join projects p on p.id = m.project_id and p._status <> 'deleted' and p.status not in ('paused', 'completed', 'archived')`;
const IS_OPEN = `m._status <> 'deleted' and m.status not in ('completed', 'cancelled')`;

/** Tasks `t` that wait at a checkpoint, in a workspace that stays. */
const WAITS = `t._status <> 'deleted' and t.status in ('todo', 'in_progress', 'blocked')
    and exists (select 1 from stages s
      where s.workflow_id = coalesce(t.workflow_id, '${STANDARD_WORKFLOW_ID}') and s.name = t.current_stage)
    and t.workspace_id not in (select value from json_each(?)) and t.workspace_id <> '${GLOBAL_SCOPE_ID}'`;
const STAGES = `stages (workflow_id, name) as materialized (
    select w.id, json_extract(s.value, '$.name') from workflows w, json_each(w.stages) s
    where w._status <> 'deleted' and json_extract(s.value, '$.is_checkpoint') = 1)`;
const MOST = MOST_IN_INBOX + 1;

/** The first of a user's tasks that wait, where milestone and project are open (N3). */
const waiting = (where: string) => `with ${STAGES}
  select t.id, t.updated_at from tasks t join ${IN_OPEN_PLACE}
  where ${where} and m.id = t.milestone_id and ${IS_OPEN} and ${WAITS}
  order by t.updated_at, t.id limit ${MOST}`;

const OWN = waiting('t.assignee_id = ?');
const HELD = waiting(
  `t.claimed_by in (select user_id from workspace_members where made_by = ? and _status <> 'deleted')`,
);

const firstOf = (value: string, most: number) => `(select ${value} from tasks t
    where t.current_stage = ? and t.milestone_id = o.id and ${WAITS} order by t.updated_at, t.id limit ${most})`;
/**
 * The first of one stage, where milestone and project are open. They are in the milestones that have the first of any, and of
 * each of those the first are read: tasks of closed places are not looked at, nor all that wait.
 */
const OF_STAGE = `with ${STAGES}, opened (id, first_id) as materialized (
    select o.id, ${firstOf('t.id', 1)} from (select m.id from ${IN_OPEN_PLACE} where ${IS_OPEN}) o
  ), nearest (id) as materialized (
    select o.id from opened o cross join tasks f on f.id = o.first_id order by f.updated_at, f.id limit ${MOST})
  select w.id, w.updated_at from nearest o cross join tasks w on w.id in ${firstOf('t.id', MOST)}
  order by w.updated_at, w.id limit ${MOST}`;
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
    ...names.map(([name]) => ({
      sql: OF_STAGE,
      args: [String(name), leaving, String(name), leaving],
    })),
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

const isSettled = (type: (typeof REVIEW_TYPES)[number]) => `exists (select 1 from activity_feed s
    where s.task_id = t.id and s.activity_type = '${type}' and ${aboutEntry('s.')} = r.id and s._status <> 'deleted')`;

/** A task's newest request for review, in the order in which the server took them, where nobody has settled it. */
const OPEN_REQUEST = `"id" in (
  select r.id from tasks t cross join activity_feed r on r.id = (
    select a.id from activity_feed a
    where a.task_id = t.id and a.activity_type = 'review_requested' and a._status <> 'deleted'
      and json_type(a.details, '$.text') = 'text' and json_type(a.details, '$.stage') = 'text'
    order by a._status = 'created' desc, a.revision desc, a.created_at desc, a.id desc limit 1)
  where t.${among('id')} and not ${isSettled('review_approved')} and not ${isSettled('review_returned')})`;

async function openRequests(
  store: LocalStore,
  tasks: readonly Task[],
): Promise<Map<string, NonNullable<ReviewFacts['request']>>> {
  const ids = JSON.stringify(tasks.map(({ id }) => id));
  const found = await rowsWhere<Activity>(store, 'activity_feed', OPEN_REQUEST, [ids]);
  const byTask = new Map(found.map((request) => [request.task_id, request]));
  const requests = new Map<string, NonNullable<ReviewFacts['request']>>();
  for (const task of tasks) {
    const request = byTask.get(task.id);
    const review = request ? reviewOf(task, [request]) : null;
    if (!review) continue;
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

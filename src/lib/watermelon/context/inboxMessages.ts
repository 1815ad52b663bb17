/**
 * Questions to the user of this device and mentions of them, from the local database (I3, I4). Every list is read along an index, the
 * newest first, and no further than it may be shown; `addressedTo` then judges what was found.
 */

import { foldComments } from '@/domain/comments';
import type { Activity } from '@/domain/entities';
import { addressedTo, type InboxMessage, MOST_IN_INBOX, messageOf } from '@/domain/inbox';
import { aboutEntry, addressesSomebody } from '../models/schema';
import type { RawValue } from '../models/watermelondb';
import { among, readTasks, rowsWhere } from './inboxRows';
import type { LocalStore } from './localStore';

/** Parameters of the queries, wherever they stand: the user, and the workspaces that this device is leaving. */
const [ME, LEAVING] = [':me', ':leaving'];

const isThere = (entry: string) => `${entry}._status <> 'deleted'`;

/** Entries `entry` of a kind that are about the entry `subject` of the same task. */
const isAbout = (entry: string, type: string, subject: string) =>
  `${entry}.task_id = ${subject}.task_id and ${entry}.activity_type = '${type}'
    and ${aboutEntry(`${entry}.`)} = ${subject}.id and ${isThere(entry)}`;

const isGone = (entry: string) => `(json_type(${entry}.details, '$.deleted') is 'true'
  or exists (select 1 from activity_feed gone where ${isAbout('gone', 'comment_deleted', entry)}))`;

/**
 * Something of the newest edit of an entry by its author; null where there is none. The plus keeps SQLite from the index that has
 * the whole feed of the task in this order.
 */
const ofNewestEdit = (value: string, entry: string) => `(select ${value} from activity_feed edit
  where ${isAbout('edit', 'comment_edited', entry)} and edit.actor_id is ${entry}.actor_id
    and json_type(edit.details, '$.text') = 'text' and json_extract(edit.details, '$.text') <> ''
  order by edit.created_at desc, +edit.id desc limit 1)`;

/** Whether details mention the user: text is looked through before it is parsed. Mentions that are no array mention nobody. */
const mentions = (entry: string) => `(instr(lower(${entry}.details), ${ME}) > 0
  and json_type(${entry}.details, '$.mentions') is 'array'
  and exists (select 1 from json_each(${entry}.details, '$.mentions') m where m.type = 'text' and lower(m.value) = ${ME}))`;

const COMMENTS = ['comment', 'question', 'answer'] as const;

const hasWrittenSince = (entry: string) => `exists (select 1 from activity_feed own
  where own.actor_id = ${ME} and own.task_id = ${entry}.task_id
    and own.activity_type in ('comment', 'question', 'answer') and own.created_at > ${entry}.created_at and ${isThere('own')})`;

/** The task of an entry is here, in a workspace that stays. */
const isShown = (entry: string) => `${isThere(entry)}
  and ${entry}.workspace_id not in (select value from json_each(${LEAVING}))
  and exists (select 1 from tasks t where t.id = ${entry}.task_id and ${isThere('t')})`;

const NEWEST = (entry: string, id = entry) =>
  `order by ${entry}.created_at desc, ${id}.id desc limit ${MOST_IN_INBOX + 1}`;

const asksUser = (entry: string) => `lower(json_extract(${entry}.details, '$.to')) is ${ME}`;

const QUESTIONS = `select q.id, q.created_at from activity_feed q
  where q.activity_type = 'question' and ${addressesSomebody('q.')} and ${asksUser('q')} and ${isShown('q')}
    and not ${isGone('q')}
    and not exists (select 1 from activity_feed a where ${isAbout('a', 'answer', 'q')} and not ${isGone('a')})
  ${NEWEST('q')}`;

/** Entries of a kind that have mentioned the user since they were written. */
const mentionsOf = (type: (typeof COMMENTS)[number]) => `select c.id, c.created_at from activity_feed c
  where c.activity_type = '${type}' and ${addressesSomebody('c.')} and c.actor_id is not ${ME} and ${mentions('c')}
    and ${isShown('c')} ${type === 'question' ? `and not ${asksUser('c')}` : ''}
    and not ${hasWrittenSince('c')} and not ${isGone('c')}
    and coalesce(${ofNewestEdit(`json_type(edit.details, '$.mentions') is null or ${mentions('edit')}`, 'c')}, 1)
  ${NEWEST('c')}`;

/** Those that mention them since their newest edit: the time is the edit's. */
const MENTIONED_LATER = `select c.id, n.created_at from activity_feed n
  cross join activity_feed c on c.id = ${aboutEntry('n.')}
  where n.activity_type = 'comment_edited' and ${addressesSomebody('n.')} and n.actor_id is not ${ME} and ${mentions('n')}
    and ${isThere('n')} and c.task_id = n.task_id and c.activity_type in ('comment', 'question', 'answer')
    and ${isShown('c')} and not (c.activity_type = 'question' and ${asksUser('c')}) and not ${mentions('c')}
    and ${ofNewestEdit('edit.id', 'c')} = n.id and not ${hasWrittenSince('n')} and not ${isGone('c')}
  ${NEWEST('n', 'c')}`;

const EDITS = `"id" in (select ${ofNewestEdit('edit.id', 'c')} from activity_feed c where c.${among('id')})`;

interface Messages {
  questions: InboxMessage[];
  mentions: InboxMessage[];
  isFull: boolean;
}

export async function readMessages(store: LocalStore, userId: string): Promise<Messages> {
  const leaving = JSON.stringify([...store.database.standing.leaving]);
  const [questions = [], ...mentioned] = await store.database.readAll(
    [QUESTIONS, ...COMMENTS.map(mentionsOf), MENTIONED_LATER].map((sql) =>
      bound(sql, { [ME]: userId, [LEAVING]: leaving }),
    ),
  );
  const found = [questions, newestOf(mentioned.flat())];
  const ids = JSON.stringify(found.flatMap((rows) => rows.slice(0, MOST_IN_INBOX).map(([id]) => id)));
  const [originals, edits] = await Promise.all([
    rowsWhere<Activity>(store, 'activity_feed', among('id'), [ids]),
    rowsWhere<Activity>(store, 'activity_feed', EDITS, [ids]),
  ]);
  // By task: an answer on another one answers nothing.
  const byTask = new Map<string | null, Activity[]>();
  for (const entry of [...originals, ...edits]) {
    byTask.set(entry.task_id, [...(byTask.get(entry.task_id) ?? []), entry]);
  }
  const tasks = await readTasks(
    store,
    [...byTask.keys()].filter((id) => id !== null),
  );
  const lists = { questions: [] as InboxMessage[], mentions: [] as InboxMessage[] };
  for (const task of tasks) {
    const entries = byTask.get(task.id) ?? [];
    for (const { comment, since, list } of addressedTo(foldComments(entries), entries, userId)) {
      lists[list].push(messageOf(comment, task, since));
    }
  }
  return { ...lists, isFull: found.some(({ length }) => length > MOST_IN_INBOX) };
}

/** Not all drivers bind a parameter at several places. */
function bound(text: string, values: Readonly<Record<string, string>>): { sql: string; args: string[] } {
  const args: string[] = [];
  const sql = text.replace(/:[a-z]+/g, (name) => {
    args.push(values[name] ?? '');
    return '?';
  });
  return { sql, args };
}

/** @param rows id and time of entries */
function newestOf(rows: readonly (readonly RawValue[])[]): readonly (readonly RawValue[])[] {
  return [...rows].sort(([id, at], [otherId, otherAt]) =>
    at === otherAt ? (String(id) > String(otherId) ? -1 : 1) : Number(otherAt) - Number(at),
  );
}

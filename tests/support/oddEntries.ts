/** Feeds as no client of ours writes them, and what the inbox is to have of them by its definition (I3, I4). */

import fc from 'fast-check';
import type { Json } from '@/core/protocol';
import { foldComments } from '@/domain/comments';
import type { Activity } from '@/domain/entities';
import { addressedTo, cutText, MOST_IN_INBOX } from '@/domain/inbox';

export interface OddFeed {
  users: readonly [me: string, other: string, third: string];
  entries: Activity[];
}

const KINDS = [
  'comment',
  'comment',
  'question',
  'answer',
  'comment_edited',
  'comment_edited',
  'comment_deleted',
] as const;
const idOf = (n: number) => `0000000a-0000-4000-8000-${String(n).padStart(12, '0')}`;
/** Few moments, so that many entries are of the same one. */
const timeOf = (n: number) => new Date(Date.UTC(2026, 0, 5) + n * 1_000).toISOString();
/** An id as some clients spell it. */
const spelled = (id: string, way: number) =>
  way === 0 ? id.toUpperCase() : way === 1 ? id.replace(/[a-f]/, (letter) => letter.toUpperCase()) : id;

/** Details of any form, most of them near to what clients write. */
function details(ids: readonly string[], users: readonly string[]): fc.Arbitrary<Json> {
  const way = fc.nat(5);
  const id = (among: readonly string[]) =>
    fc.tuple(fc.constantFrom(...among), way).map(([one, n]) => spelled(one, n));
  const odd = fc.constantFrom<Json>('', 'An old form', 7, null, true, {}, [], `${ids[0]}x`, [
    'x',
    1,
    null,
    {},
  ]);
  const or = (usual: fc.Arbitrary<Json>) =>
    fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: odd });
  const mentions = fc.array(id(users), { maxLength: 3 }) as fc.Arbitrary<Json>;
  const record = fc.record(
    {
      text: or(fc.constantFrom<Json>('Look.', 'There.', 'é'.repeat(300))),
      mentions: or(mentions),
      comment: or(id(ids)),
      question: or(id(ids)),
      to: or(id(users)),
      deleted: fc.constantFrom<Json>(true, false, 'true', 1, null),
    },
    { requiredKeys: ['text', 'comment', 'question', 'to'] },
  ) as fc.Arbitrary<Json>;
  // Most entries are not blanked.
  const whole = record.chain((value) =>
    fc.nat(9).map((n) => {
      const { deleted: _, ...rest } = value as Record<string, Json>;
      return n === 0 ? value : (rest as Json);
    }),
  );
  return fc.oneof({ weight: 20, arbitrary: whole }, { weight: 1, arbitrary: odd });
}

/** @returns entries of tasks; a few comments with many edits, so that each has been edited, deleted or answered */
export function oddFeed(
  scope: string,
  tasks: readonly string[],
  users: OddFeed['users'],
  { seed, length }: { seed: number; length: number },
): OddFeed {
  const ids = Array.from({ length }, (_, n) => idOf(n));
  const [me, other, third] = users;
  const entry = fc.record({
    kind: fc.constantFrom(...KINDS),
    task: fc.constantFrom(...tasks),
    // The user writes seldom: all else would be answered.
    actor: fc.constantFrom(other, other, other, other, third, third, null, me),
    at: fc.nat(20),
    details: details(ids, [me, me, other]),
  });
  const [all = []] = fc.sample(fc.array(entry, { minLength: length, maxLength: length, size: 'max' }), {
    seed,
    numRuns: 1,
  });
  const entries = all.map(({ kind, task, actor, at, details: given }, n): Activity => {
    const created_at = timeOf(actor === me ? Math.min(at, 8) : at);
    const common = { workspace_id: scope, created_at, updated_at: created_at, last_modified_by: null };
    return {
      ...common,
      id: ids[n] as string,
      task_id: task,
      entity_type: null,
      entity_id: null,
      actor_id: actor,
      activity_type: kind,
      details: given,
    } as Activity;
  });
  return { users, entries };
}

interface Found {
  id: string;
  text: string;
  since: string;
}

/** The lists that the inbox is to hold of a feed: the newest of each list, the oldest first. */
export function addressedIn({ users: [me], entries }: OddFeed): Record<'questions' | 'mentions', Found[]> {
  const lists = { questions: [] as Found[], mentions: [] as Found[] };
  for (const task of new Set(entries.map(({ task_id }) => task_id))) {
    const own = entries.filter(({ task_id }) => task_id === task);
    for (const { comment, since, list } of addressedTo(foldComments(own), own, me)) {
      lists[list].push({ id: comment.id, text: cutText(comment.text), since });
    }
  }
  const newest = (list: Found[]) =>
    list.sort((a, b) => (`${a.since}${a.id}` < `${b.since}${b.id}` ? -1 : 1)).slice(-MOST_IN_INBOX);
  return { questions: newest(lists.questions), mentions: newest(lists.mentions) };
}

/** The same of an inbox. */
export function shownIn(inbox: { questions: readonly Found[]; mentions: readonly Found[] }) {
  const shown = (list: readonly Found[]) => list.map(({ id, text, since }) => ({ id, text, since }));
  return { questions: shown(inbox.questions), mentions: shown(inbox.mentions) };
}

/**
 * The inbox: what waits for a user, of all their workspaces (section 9 of docs/work-model.md). Part of the interface of both Context
 * Services; both give the same facts, and `inboxOf` makes the inbox of them. Pure.
 */

import type { Json } from '@/core/protocol';
import { type Comment, mentionsIn, waitsForAnswer } from './comments';
import type { Activity, Task } from './entities';
import { asDetails, textIn } from './entries';
import { type Reviewer, type Reviewers, reviewersOf, waitsForUser } from './reviewers';
import type { Review } from './reviews';
import type { SyncedTable } from './schema';

/** Most items of each list of an inbox. */
export const MOST_IN_INBOX = 200;

/** Characters of a text that an inbox shows. */
export const INBOX_TEXT = 280;

/** A task, as far as an inbox shows it. */
export type InboxTask = Pick<
  Task,
  | 'id'
  | 'workspace_id'
  | 'key'
  | 'title'
  | 'current_stage'
  | 'status'
  | 'priority'
  | 'assignee_id'
  | 'claimed_by'
>;

/** The newest request for review of a task, while it is open and of the task's stage. Its text is cut. */
export type InboxRequest = Pick<
  Review,
  'id' | 'text' | 'branch' | 'commit' | 'requested_by' | 'requested_at'
>;

/** A task that waits at a checkpoint. */
export interface InboxReview {
  task: InboxTask;
  /** null: the task was moved to the checkpoint, and nobody has said what is to be reviewed. */
  request: InboxRequest | null;
  reviewers: Reviewers;
  /** Since when it waits: of the request; without one, of the task's latest change. */
  since: string;
}

/** A question to the user, or a mention of them. */
export interface InboxMessage {
  /** Of the entry: what `answerQuestion` takes. */
  id: string;
  kind: Comment['kind'];
  task: Pick<Task, 'id' | 'workspace_id' | 'key' | 'title'>;
  author_id: string | null;
  /** In its newest form, cut. */
  text: string;
  /** When it was written, or edited so that it mentions the user. */
  since: string;
}

/** Something that is set aside on this device, about one record. */
interface SetAside {
  /** Of the entry in the ledger or the quarantine. */
  id: string;
  table: SyncedTable;
  record_id: string;
  workspace_id: string;
  /** The record's name or title; '' where it has none, or is not known here. */
  name: string;
  /** Of a task, and of what belongs to one. */
  task_id: string | null;
  at: string;
}

export interface InboxConflict extends SetAside {
  columns: string[];
}

export interface InboxRefusal extends SetAside {
  /** Changes with the same one are retried and discarded together. */
  group_id: string;
  operation: 'insert' | 'update' | 'delete';
  /** Why: the code, the column and the words of the refusal. */
  code: string;
  column: string | null;
  message: string;
}

/** A record that others deleted while this device had edits of it (D8). */
export interface InboxLoss extends SetAside {
  columns: string[];
}

/** Each list has at most `MOST_IN_INBOX` items: of reviews those that wait longest, of all others the newest. */
export interface Inbox {
  /** Tasks at a checkpoint that wait for the user, the longest first. */
  reviews: InboxReview[];
  /** Those that wait for others. */
  team: InboxReview[];
  /** Questions to the user without an answer, the oldest first. */
  questions: InboxMessage[];
  /** Comments, questions and answers of others that mention the user, who has written nothing on the task since; the oldest first. */
  mentions: InboxMessage[];
  /**
   * Of this device alone, and so empty where the server answers: conflicts that a person has to settle, changes that the server
   * refused, edits whose record others deleted. The newest first.
   */
  conflicts: InboxConflict[];
  refused: InboxRefusal[];
  deleted: InboxLoss[];
  /** Whether more waits than the lists hold. */
  is_cut: boolean;
}

export interface InboxService {
  /** What waits for the user. Reads no more than it may return, whatever the workspaces hold. */
  getInbox(): Promise<Inbox>;
}

/** What a service reads of a task that waits at a checkpoint. */
export interface ReviewFacts {
  task: InboxTask;
  /** The newest request, where it is open; whether of this stage or not. */
  request: (InboxRequest & { stage: string }) | null;
  /** When the task was changed last. */
  updated_at: string;
  /** The user, the assignee, whoever holds the task or asked, and their makers: those that are live members of the workspace. */
  members: readonly Reviewer[];
}

export interface InboxFacts {
  reviews: readonly ReviewFacts[];
  questions: readonly InboxMessage[];
  mentions: readonly InboxMessage[];
  /** Whether something was not read, since there is too much. */
  is_cut: boolean;
}

/** @returns the inbox without what a device alone knows */
export function inboxOf(facts: InboxFacts, userId: string): Inbox {
  const all = facts.reviews.map((one) => ({ ...reviewIn(one), isOwn: isFor(one, userId) }));
  const reviews = byAge(all);
  const lists = {
    reviews: reviews.filter(({ isOwn }) => isOwn),
    team: reviews.filter(({ isOwn }) => !isOwn),
    questions: byAge(facts.questions),
    mentions: byAge(facts.mentions),
  };
  const isLong = Object.values(lists).some(({ length }) => length > MOST_IN_INBOX);
  const shown = (list: readonly (InboxReview & { isOwn: boolean })[]) =>
    list.slice(0, MOST_IN_INBOX).map(({ isOwn: _, ...review }) => review);
  return {
    reviews: shown(lists.reviews),
    team: shown(lists.team),
    // The last ones are kept: they are news.
    questions: lists.questions.slice(-MOST_IN_INBOX),
    mentions: lists.mentions.slice(-MOST_IN_INBOX),
    conflicts: [],
    refused: [],
    deleted: [],
    is_cut: facts.is_cut || isLong,
  };
}

/** @returns how many items wait for the user: what a badge shows. Those that wait for others are not counted. */
export function countInbox({ team: _, is_cut: __, refused, ...lists }: Inbox): number {
  return Object.values(lists).reduce((sum, list) => sum + list.length, countRefused(refused));
}

/** @returns how many things that a user did are refused: the changes of a group, which are refused together, are one */
export function countRefused(refused: readonly InboxRefusal[]): number {
  return new Set(refused.map(({ group_id }) => group_id)).size;
}

function reviewIn({ task, request: open, updated_at, members }: ReviewFacts): InboxReview {
  const isOfStage = open !== null && open.stage === task.current_stage;
  const request = isOfStage ? withoutStage(open) : null;
  return {
    task,
    request,
    reviewers: reviewersOf(task, request?.requested_by ?? null, members),
    since: request?.requested_at ?? updated_at,
  };
}

function withoutStage({ stage: _, text, ...request }: InboxRequest & { stage: string }): InboxRequest {
  return { ...request, text: cutText(text) };
}

function isFor(facts: ReviewFacts, userId: string): boolean {
  const self = facts.members.find(({ user_id }) => user_id === userId);
  return waitsForUser(reviewIn(facts).reviewers, self);
}

/** @returns the first characters of a text */
export function cutText(text: string): string {
  return text.length <= INBOX_TEXT ? text : [...text].slice(0, INBOX_TEXT).join('');
}

function byAge<T extends { since: string } & ({ id: string } | { task: { id: string } })>(
  items: readonly T[],
): T[] {
  const idOf = (item: T) => ('id' in item ? item.id : item.task.id);
  return [...items].sort((one, other) => {
    if (one.since !== other.since) return one.since < other.since ? -1 : 1;
    return idOf(one) < idOf(other) ? -1 : 1;
  });
}

export interface Addressed {
  comment: Comment;
  since: string;
  list: 'questions' | 'mentions';
}

/**
 * @param comments of a task, folded
 * @param entries of the same task, of the same kinds
 * @returns those that ask or mention the user and wait for them (I3, I4), each with the time since when it does
 */
export function addressedTo(
  comments: readonly Comment[],
  entries: readonly Activity[],
  userId: string,
): Addressed[] {
  const originals = new Map(entries.map((entry) => [entry.id, entry]));
  // Times are all of one form, so that the last one is the greatest text.
  const written = entries.reduce(
    (last, { actor_id, activity_type, created_at }) =>
      actor_id === userId && ['comment', 'question', 'answer'].includes(activity_type) && created_at > last
        ? created_at
        : last,
    '',
  );
  return comments.flatMap((comment): Addressed[] => {
    if (comment.is_deleted) return [];
    if (comment.kind === 'question' && comment.to === userId) {
      return waitsForAnswer(comment, userId)
        ? [{ comment, since: comment.created_at, list: 'questions' }]
        : [];
    }
    if (comment.author_id === userId || !comment.mentions.includes(userId)) return [];
    const original = originals.get(comment.id);
    const wasMentioned = mentionsIn(asDetails(original?.details).mentions).includes(userId);
    const since = wasMentioned ? comment.created_at : (comment.edited_at ?? comment.created_at);
    return written > since ? [] : [{ comment, since, list: 'mentions' }];
  });
}

/** @returns a comment as an inbox shows it */
export function messageOf(
  { id, kind, author_id, text }: Comment,
  { id: taskId, workspace_id, key, title }: InboxMessage['task'],
  since: string,
): InboxMessage {
  return { id, kind, task: { id: taskId, workspace_id, key, title }, author_id, text: cutText(text), since };
}

/** @returns the text of a task that is shown; times and long texts are left out */
export function inboxTask(task: Task): InboxTask {
  const { id, workspace_id, key, title, current_stage, status, priority, assignee_id, claimed_by } = task;
  return { id, workspace_id, key, title, current_stage, status, priority, assignee_id, claimed_by };
}

/** @returns the name of what a record is about, from its stored columns */
export function nameIn(values: Readonly<Record<string, unknown>>): string {
  return textIn((values.title ?? values.name ?? null) as Json) ?? '';
}

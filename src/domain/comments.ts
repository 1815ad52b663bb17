/**
 * Comments, questions and answers: entries of the feed. Edits and deletions are entries of their own, which readers fold
 * (section 7 of docs/work-model.md). Pure.
 */

import type { Json } from '@/core/protocol';
import { isUuid } from '@/core/text';
import type { Activity } from './entities';
import { asDetails, idIn, textIn } from './entries';

export interface CommentOptions {
  /** User ids of members whom the comment is to reach; at most 50. */
  mentions?: readonly string[];
}

/** A comment, a question or an answer, with its edits and its deletion folded in. */
export interface Comment {
  id: string;
  task_id: string;
  kind: 'comment' | 'question' | 'answer';
  author_id: string | null;
  /** '' where it is deleted. */
  text: string;
  mentions: string[];
  created_at: string;
  /** Of the newest edit; null where there is none. */
  edited_at: string | null;
  is_deleted: boolean;
  /** Of a question: the user who is asked. */
  to: string | null;
  /** Of an answer: the question. */
  question_id: string | null;
  /** Of a question: whether there is an answer that is not deleted. */
  is_answered: boolean;
}

/** The part of the Context Service that is about comments and questions. */
export interface CommentService {
  addComment(taskId: string, text: string, options?: CommentOptions): Promise<Activity>;
  /** Its author gives a comment, question or answer another text: `rejected/forbidden` for everybody else. */
  editComment(commentId: string, text: string, options?: CommentOptions): Promise<Activity>;
  /** Its author, or a human owner, deletes a comment, question or answer. Its texts are blanked for good, here at once. */
  deleteComment(commentId: string): Promise<void>;
  /** Asks a member, a person or an agent. */
  askQuestion(taskId: string, text: string, options: { to: string }): Promise<Activity>;
  answerQuestion(questionId: string, text: string): Promise<Activity>;
  /** @returns comments, questions and answers of a task, in the order in which they were written. */
  getComments(taskId: string): Promise<Comment[]>;
}

export const COMMENT_TYPES = ['comment', 'question', 'answer', 'comment_edited', 'comment_deleted'] as const;
export const COMMENT_LIMITS = { text: 20_000, mentions: 50 } as const;

/** @returns whether an entry is one that can be edited and deleted. */
export function isComment({ activity_type }: Pick<Activity, 'activity_type'>): boolean {
  return activity_type === 'comment' || activity_type === 'question' || activity_type === 'answer';
}

/** @returns whether a comment is a question to the user that nobody has answered (I3). */
export function waitsForAnswer(comment: Comment, userId: string): boolean {
  const { kind, to, is_answered, is_deleted } = comment;
  return kind === 'question' && to === userId && !is_answered && !is_deleted;
}

/** @returns the comments that entries of a task make. Entries are taken in any order. */
export function foldComments(entries: readonly Activity[]): Comment[] {
  const folds = foldsOf(entries);
  const comments = entries.filter(isComment).map((entry) => commentOf(entry, folds.get(entry.id)));
  const answered = new Set(comments.flatMap((one) => (one.is_deleted ? [] : (one.question_id ?? []))));
  for (const one of comments) one.is_answered = one.kind === 'question' && answered.has(one.id);
  return comments.sort(byTime);
}

/**
 * @param activities of a feed, in any order
 * @returns the same entries in the same order. A comment has its newest text and `edited_at`; what was edited or deleted has
 * the text of no earlier form, and its edits have none of their own where the comment is among the entries.
 */
export function foldActivities(activities: readonly Activity[]): Activity[] {
  const folds = foldsOf(activities);
  if (folds.size === 0) return [...activities];
  const present = new Set(activities.filter(isComment).map(({ id }) => id));
  return activities.map((entry) => {
    const details = asDetails(entry.details);
    if (entry.activity_type === 'comment_edited') {
      const id = String(idIn(details.comment));
      return present.has(id) || folds.get(id)?.isDeleted ? { ...entry, details: { comment: id } } : entry;
    }
    const fold = folds.get(entry.id);
    if (!fold || !isComment(entry)) return entry;
    if (fold.isDeleted) return { ...entry, details: blanked(entry.details) };
    const edit = newestOf(fold, entry);
    if (!edit) return entry;
    const { comment: _, ...latest } = asDetails(edit.details);
    return { ...entry, details: { ...details, ...latest, edited_at: edit.created_at } as Json };
  });
}

/** @returns what is left of the details of a deleted entry: what it refers to. `convoy.blanked` has the same. */
export function blanked(details: Json): Json {
  const { comment, question, to } = asDetails(details);
  return {
    ...(isUuid(comment) && { comment }),
    ...(isUuid(question) && { question }),
    ...(isUuid(to) && { to }),
    deleted: true,
  };
}

export function isBlanked(details: Json): boolean {
  return asDetails(details).deleted === true;
}

interface Fold {
  edits: Activity[];
  isDeleted: boolean;
}

/** @returns edits and deletions by the id of what they are about. */
function foldsOf(entries: readonly Activity[]): Map<string, Fold> {
  const folds = new Map<string, Fold>();
  for (const entry of entries) {
    if (entry.activity_type !== 'comment_edited' && entry.activity_type !== 'comment_deleted') continue;
    const { comment: named, text } = asDetails(entry.details);
    const comment = idIn(named);
    if (comment === null) continue;
    const fold = folds.get(comment) ?? { edits: [], isDeleted: false };
    folds.set(comment, fold);
    if (entry.activity_type === 'comment_deleted') fold.isDeleted = true;
    else if (textIn(text) !== null) fold.edits.push(entry);
  }
  return folds;
}

/** @returns the newest edit of its author. */
function newestOf(fold: Fold | undefined, entry: Activity): Activity | undefined {
  const own = fold?.edits.filter(({ actor_id }) => actor_id === entry.actor_id) ?? [];
  return own.sort(byTime).at(-1);
}

function commentOf(entry: Activity, fold: Fold | undefined): Comment {
  const is_deleted = fold?.isDeleted === true || isBlanked(entry.details);
  const edit = is_deleted ? undefined : newestOf(fold, entry);
  const own = asDetails(entry.details);
  const latest = { ...own, ...(edit && asDetails(edit.details)) };
  const { mentions } = latest;
  return {
    id: entry.id,
    task_id: String(entry.task_id),
    kind: entry.activity_type as Comment['kind'],
    author_id: entry.actor_id,
    // Earlier versions of some clients call the text a comment.
    text: is_deleted ? '' : (textIn(latest.text) ?? textIn(own.comment) ?? ''),
    mentions: is_deleted ? [] : mentionsIn(mentions),
    created_at: entry.created_at,
    edited_at: edit?.created_at ?? null,
    is_deleted,
    to: idIn(own.to),
    question_id: entry.activity_type === 'answer' ? idIn(own.question) : null,
    is_answered: false,
  };
}

/** @returns the user ids among the mentions of an entry. */
export function mentionsIn(mentions: Json | undefined): string[] {
  return Array.isArray(mentions) ? mentions.filter(isUuid).map((id) => id.toLowerCase()) : [];
}

function byTime(one: { created_at: string; id: string }, other: { created_at: string; id: string }): number {
  if (one.created_at !== other.created_at) return one.created_at < other.created_at ? -1 : 1;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}

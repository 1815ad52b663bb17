/**
 * The pieces of a task's context, in the order of their priority (X2): what a section shows, who wrote it, and which call
 * fetches what is left out of it. Pure.
 */

import type { Json } from '@/core/protocol';
import { type Comment, foldComments } from '../comments';
import type { Activity, BestPractice, Pattern, Task, TaskContext } from '../entities';
import { asDetails } from '../entries';
import { REVIEW_TYPES, type Review, reviewOf } from '../reviews';
import { CLOSED } from '../taskContext';
import { GLOBAL_SCOPE_ID } from '../vocabulary';
import type { Authors } from './authors';
import { span } from './fence';

/** One piece of a section. */
export interface Piece {
  /** A line of Convoy's own, with names in code spans: what it is, and who wrote it. */
  head: string;
  /** The member's text, for a fence; null where the head says all. A function, since most are never shown. */
  text: (() => string) | null;
}

export interface Section {
  name: string;
  pieces: readonly Piece[];
  /** How many there are, those included that the context itself left out. */
  all: number;
  /** The call that fetches them whole. */
  call: string;
  /** The most of the budget that it takes while others wait for theirs, from 0 to 1. */
  share: number;
}

/** @returns the sections that have something, what matters most first. */
export function sectionsOf(context: TaskContext, authors: Authors): Section[] {
  const { task, milestone, project } = context;
  const whole = `getTaskContext("${task.id}")`;
  const more = (part: string) => `getTaskContext("${task.id}", { ${part}: { items: 1000 } })`;
  const scope = `{ project_id: "${milestone?.project_id ?? ''}" }`;
  const open = (tasks: readonly Task[]) => tasks.filter(({ status }) => !CLOSED.includes(status));
  const closed = (tasks: readonly Task[]) => tasks.filter(({ status }) => CLOSED.includes(status));
  const tasksOf = (tasks: readonly Task[]) => [...open(tasks), ...closed(tasks)].map(taskPiece);
  const count = (part: 'subtasks' | 'dependencies' | 'activities' | 'patterns' | 'best_practices') =>
    context.left_out[part]?.all ?? context[part].length;
  const entries = context.activities.toReversed();
  const comments = foldComments(entries).filter((one) => !one.is_deleted);
  const review = reviewOf(
    task,
    entries.filter(({ activity_type }) => REVIEW_TYPES.some((type) => type === activity_type)),
  );
  const questions = comments.filter(({ kind, is_answered }) => kind === 'question' && !is_answered);
  const others = comments.filter((one) => !questions.includes(one)).toReversed();
  const [theirs, unconfirmed] = knowledgeOf(context, authors);
  const knowledgeCall = `getPatterns(${scope}), getBestPractices(${scope})`;
  const leftOfKnowledge =
    count('patterns') + count('best_practices') - context.patterns.length - context.best_practices.length;
  const surroundings = [
    prose('Requirements of the milestone', milestone?.requirements, milestone, authors),
    prose('Description of the milestone', milestone?.description, milestone, authors),
    prose('Description of the parent task', context.parent_task?.description, context.parent_task, authors),
    prose('Overview of the project', project?.overview, project, authors),
    prose('Description of the project', project?.description, project, authors),
  ].flat();
  const commentsLeftOut = count('activities') - context.activities.length;
  const sections: Section[] = [
    section('Description', descriptionPiece(context, authors), whole, 0.4),
    section('Review', review ? reviewPieces(review, authors) : [], `getReview("${task.id}")`, 0.2),
    section(
      'Open questions',
      questions.map((one) => commentPiece(one, authors)),
      `getComments("${task.id}")`,
      0.15,
    ),
    section('Dependencies', tasksOf(context.dependencies), more('dependencies'), 0.1, count('dependencies')),
    section('Subtasks', tasksOf(context.subtasks), more('subtasks'), 0.1, count('subtasks')),
    section(
      'Comments',
      others.map((one) => commentPiece(one, authors)),
      `getComments("${task.id}")`,
      0.15,
    ),
    section('Patterns and practices', theirs, knowledgeCall, 0.35, theirs.length + leftOfKnowledge),
    section('Around the task', surroundings, whole, 0.15),
    section('Patterns and practices not confirmed by a person', unconfirmed, knowledgeCall, 0.2),
    section(
      'History',
      context.activities.flatMap(({ activity_type, actor_id, created_at }) =>
        comments.some(({ kind }) => kind === activity_type)
          ? []
          : [{ head: `${created_at} ${span(activity_type, 64)} by ${authors.nameOf(actor_id)}`, text: null }],
      ),
      more('activities'),
      0.1,
    ),
  ];
  const last = sections.at(-1) as Section;
  last.all += commentsLeftOut;
  return sections.filter(({ all }) => all > 0);
}

function section(
  name: string,
  pieces: readonly Piece[],
  call: string,
  share: number,
  all = pieces.length,
): Section {
  return { name, pieces, call, share, all };
}

/**
 * A text column of a record that has no feed: nobody knows who wrote it. Whoever changed the record last is named as no more than
 * that: it may have been another column.
 */
function prose(
  kind: string,
  text: string | null | undefined,
  record: { last_modified_by: string | null } | null,
  authors: Authors,
): Piece[] {
  if (!text || record === null) return [];
  const by = authors.nameOf(record.last_modified_by);
  return [{ head: `${kind}, of a record last changed by ${by}`, text: () => text }];
}

/** The description of the task, with its author where the entries of the feed that are here tell. */
function descriptionPiece({ task, activities }: TaskContext, authors: Authors): Piece[] {
  const { description } = task;
  if (!description) return [];
  const entry = activities.find(tellsOfDescription);
  const by = entry === undefined ? '' : ` by ${authors.nameOf(entry.actor_id)}`;
  return [{ head: `Description${by}`, text: () => description }];
}

/** The newest such entry is by the author: each change of the description has one, and so has the creation that began it. */
function tellsOfDescription({ activity_type, details }: Activity): boolean {
  const { fields, columns } = asDetails(details);
  switch (activity_type) {
    case 'task_created':
      return true;
    case 'task_updated':
      return Array.isArray(fields) && fields.includes('description');
    case 'conflict_settled':
      return 'description' in asDetails(columns);
    default:
      return false;
  }
}

function taskPiece({ id, title, status, priority, current_stage, key }: Task): Piece {
  const name = key === null || key === undefined ? id : `${key} ${id}`;
  return {
    head: `${span(title)}: ${status}, ${priority}, stage ${span(current_stage, 64)}, id ${name}`,
    text: null,
  };
}

function commentPiece(one: Comment, authors: Authors): Piece {
  const kind = { comment: 'Comment', question: 'Question', answer: 'Answer' }[one.kind];
  const to = one.to === null ? '' : ` to ${authors.nameOf(one.to)}`;
  const edited = one.edited_at === null ? '' : ', edited since';
  const reply = one.question_id === null ? '' : `, to the question ${span(one.question_id, 36)}`;
  const id = one.kind === 'question' ? `, id ${one.id}` : '';
  return {
    head: `${kind} by ${authors.nameOf(one.author_id)}${to}${reply}, ${one.created_at}${edited}${id}`,
    text: () => one.text,
  };
}

function reviewPieces(review: Review, authors: Authors): Piece[] {
  const { reason, settled_by, state } = review;
  const facts = [
    review.branch && `branch: ${review.branch}`,
    review.commit && `commit: ${review.commit}`,
    ...review.links.map((link) => `link: ${link}`),
  ].filter(Boolean);
  const changed = review.text_changed ? '; the text of the task has changed since' : '';
  const pieces: Piece[] = [
    {
      head: `Request ${review.id} for review at ${span(review.stage, 64)} by ${authors.nameOf(review.requested_by)}, ${state}${changed}`,
      text: () => [...facts, review.text].join('\n'),
    },
  ];
  // Why it came back matters more than what was asked for.
  if (state === 'returned' && reason !== null) {
    pieces.unshift({
      head: `Returned by ${authors.nameOf(settled_by)}, with the reason`,
      text: () => reason,
    });
  }
  return pieces;
}

type Knowledge = Pattern | BestPractice;

/** @returns patterns and practices that a person wrote last; and the others. The project's come first, the global ones last. */
function knowledgeOf(context: TaskContext, authors: Authors): [people: Piece[], others: Piece[]] {
  const rank = ({ workspace_id, project_id }: Knowledge) =>
    workspace_id === GLOBAL_SCOPE_ID ? 2 : project_id === null ? 1 : 0;
  const all: [string, Knowledge][] = [
    ...context.best_practices.map((one): [string, Knowledge] => ['Best practice', one]),
    ...context.patterns.map((one): [string, Knowledge] => ['Pattern', one]),
  ];
  all.sort(([, one], [, other]) => rank(one) - rank(other));
  const piece = ([kind, one]: [string, Knowledge]): Piece => {
    const isOfPerson = authors.isOfPerson(one);
    const by =
      one.workspace_id === GLOBAL_SCOPE_ID ? 'of Convoy' : `by ${authors.nameOf(one.last_modified_by)}`;
    const note = isOfPerson ? '' : ', not confirmed by a person';
    return {
      head: `${kind} ${span(one.name)} ${by}${note}`,
      text: () => [one.description ?? '', contentText(one.content)].filter(Boolean).join('\n\n'),
    };
  };
  const isTheirs = ([, one]: [string, Knowledge]) => authors.isOfPerson(one);
  return [all.filter(isTheirs).map(piece), all.filter((one) => !isTheirs(one)).map(piece)];
}

/** @returns a content with nothing but one text as that text; else as JSON. */
function contentText(content: Json): string {
  if (content === null || typeof content !== 'object') return content === null ? '' : String(content);
  const values = Object.values(content);
  if (values.length === 0) return '';
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : JSON.stringify(content, null, 1);
}

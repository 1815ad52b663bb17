/** Entries of the feed in words for people. Pure. */

import type { Json } from '@/core/protocol';
import type { Activity } from '@/domain/entities';
import type { TaskPriority, TaskStatus } from '@/domain/vocabulary';
import { PRIORITY_LABELS, stageLabel, TASK_STATUS_LABELS, wordsOf } from '../ui/labels';

export interface ActivityText {
  /** Continues after the actor's name. */
  sentence: string;
  /** Text that the actor wrote. */
  quote: string | null;
  /** Another task that the entry names; its title ends the sentence. */
  otherTask: { id: string; title: string } | null;
}

type Details = Record<string, Json>;

/** @param nameOf the name of a user, for columns that hold one. */
export function activityText(
  activity: Pick<Activity, 'activity_type' | 'details'>,
  nameOf: (userId: string | null) => string,
): ActivityText {
  const details = asObject(activity.details);
  const plain = (sentence: string): ActivityText => ({ sentence, quote: null, otherTask: null });
  switch (activity.activity_type) {
    case 'comment':
      return {
        sentence: details.edited_at === undefined ? 'commented' : 'commented, and edited it since',
        quote: shownText(details),
        otherTask: null,
      };
    case 'comment_edited':
      return { sentence: 'edited a comment', quote: textOf(details.text), otherTask: null };
    case 'comment_deleted':
      return plain('deleted a comment');
    case 'question':
      return { sentence: `asked ${nameOf(textOf(details.to))}`, quote: shownText(details), otherTask: null };
    case 'answer':
      return { sentence: 'answered', quote: shownText(details), otherTask: null };
    case 'review_requested':
      return {
        sentence: `asked for a review at ${stageText(details.stage)}`,
        quote: textOf(details.text),
        otherTask: null,
      };
    case 'review_approved':
      return plain('approved it');
    case 'review_returned':
      return { sentence: 'returned it', quote: textOf(details.reason), otherTask: null };
    case 'task_created':
      return plain('created this task');
    case 'task_updated':
      return {
        sentence: `changed ${changesText(details, nameOf)}${pastText(details)}`,
        quote: textOf(details.reason),
        otherTask: null,
      };
    case 'stage_changed':
      return movedText(details);
    case 'task_deleted':
      return plain(`deleted the subtask “${textOf(details.title) ?? 'without a title'}”`);
    case 'dependency_added':
      return { sentence: 'added a dependency on', quote: null, otherTask: otherTask(details) };
    case 'dependency_removed':
      return { sentence: 'removed the dependency on', quote: null, otherTask: otherTask(details) };
    case 'conflict_settled':
      return settledText(details);
    case 'agent_ended':
      return endedText(details);
    default:
      return {
        sentence: `noted: ${wordsOf(activity.activity_type)}`,
        quote: textOf(details.text) ?? textOf(details.summary) ?? textOf(details.message),
        otherTask: null,
      };
  }
}

function movedText(details: Details): ActivityText {
  return {
    sentence: `moved it from ${stageText(details.from)} to ${stageText(details.to)}${pastText(details)}`,
    quote: textOf(details.reason),
    otherTask: null,
  };
}

/** The checkpoints that a change jumped. */
function pastText({ jumped }: Details): string {
  const stages = Array.isArray(jumped) ? jumped.map((stage) => stageText(stage)) : [];
  return stages.length > 0 ? `, past ${listText(stages)} without a review` : '';
}

/** Why the agents of a person ended, about that person. */
const ENDED_SINCE: ReadonlyMap<string | null, string> = new Map([
  ['left', 'left'],
  ['removed', 'was removed'],
  ['maker_is_agent', 'is an agent now'],
  ['account_deleted', 'deleted the account'],
]);

function endedText(details: Details): ActivityText {
  const [agent, maker] = [textOf(details.name) ?? 'without a name', textOf(details.maker_name) ?? 'somebody'];
  const why = ENDED_SINCE.get(textOf(details.why)) ?? 'makes no agents any more';
  return {
    sentence: `ended the agent “${agent}”, since “${maker}”, who made it, ${why}`,
    quote: null,
    otherTask: null,
  };
}

/** Text of a comment, unless it was deleted. */
function shownText(details: Details): string | null {
  return details.deleted === true ? '(deleted)' : (textOf(details.text) ?? textOf(details.comment));
}

/** A settled conflict: its columns, and for each the chosen value and the other one. */
function settledText(details: Details): ActivityText {
  const columns = Object.entries(asObject(details.columns));
  const names = listText(columns.map(([column]) => `the ${wordsOf(column)}`));
  const lines = columns.flatMap(([column, sides]) => {
    const { chosen, local, remote } = asObject(sides);
    const other = chosen === local ? remote : local;
    const [taken, left] = [textOf(chosen), textOf(other)];
    return taken === null || left === null ? [] : [`${wordsOf(column)}: “${taken}” instead of “${left}”`];
  });
  return {
    sentence: names === '' ? 'settled a conflict between two edits' : `settled a conflict about ${names}`,
    quote: lines.length > 0 ? lines.join('\n') : null,
    otherTask: null,
  };
}

function changesText(details: Details, nameOf: (id: string | null) => string): string {
  const changes = asObject(details.changes);
  const fields = Array.isArray(details.fields) ? details.fields.map(String) : Object.keys(changes);
  const told = fields.filter((field) => field !== 'completion_date' || fields.length === 1);
  const parts = told.map((field) => {
    const name = `the ${wordsOf(field)}`;
    const change = changes[field];
    if (!Array.isArray(change)) return name;
    const [from, to] = change.map((value) => valueText(field, value, nameOf));
    return from === null || to === null || from === undefined || to === undefined
      ? name
      : `${name} from ${from} to ${to}`;
  });
  return listText(parts.length > 0 ? parts : ['nothing']);
}

/** @returns null where the value means nothing to people, such as an id. */
function valueText(field: string, value: Json, nameOf: (id: string | null) => string): string | null {
  if (field === 'status') return TASK_STATUS_LABELS[value as TaskStatus] ?? null;
  if (field === 'priority') return PRIORITY_LABELS[value as TaskPriority] ?? null;
  if (field === 'assignee_id') return value === null ? 'nobody' : nameOf(String(value));
  if (field === 'title') return `“${String(value)}”`;
  return null;
}

function listText(parts: string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function otherTask(details: Details): ActivityText['otherTask'] {
  const id = textOf(details.depends_on_task_id);
  return id === null ? null : { id, title: textOf(details.title) ?? 'another task' };
}

function stageText(stage: Json | undefined): string {
  return typeof stage === 'string' ? stageLabel(stage) : 'no stage';
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function asObject(value: Json | undefined): Details {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

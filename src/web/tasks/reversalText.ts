/** The values that reversing a settled conflict would set, for people to see beforehand. Pure. */

import type { Json } from '@/core/protocol';
import { sameJson } from '@/domain/changes';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import type { TaskPriority, TaskStatus } from '@/domain/vocabulary';
import { PRIORITY_LABELS, stageLabel, TASK_STATUS_LABELS, wordsOf } from '../ui/labels';

/** A column that a reversal sets. */
export interface ReversedColumn {
  column: string;
  label: string;
  /** The value that the settlement chose, and the one that takes its place. */
  chosen: ShownValue;
  other: ShownValue;
}

/** A value in words, or a record to be named. */
export type ShownValue = { text: string } | { table: SyncedTable; id: string };

/**
 * @param details of a `conflict_settled` activity on a task
 * @returns the columns that reversing it sets; null where the details do not have the values
 */
export function reversedColumns(
  details: Json,
  nameOf: (userId: string | null) => string,
): ReversedColumn[] | null {
  const { columns, shortened } = asObject(details);
  const sides = Object.entries(asObject(columns));
  if (shortened === true || sides.length === 0) return null;
  return sides.map(([column, side]) => {
    const { chosen = null, local = null, remote = null } = asObject(side);
    const other = sameJson(chosen, local) ? remote : local;
    return {
      column,
      label: wordsOf(column),
      chosen: shown(column, chosen, nameOf),
      other: shown(column, other, nameOf),
    };
  });
}

/** The effect of confirming a checkpoint, in a sentence. @param checkpoint its name */
export function checkpointSentence(
  title: string,
  columns: readonly ReversedColumn[],
  checkpoint: string,
): string {
  const stage = columns.find(({ column }) => column === 'current_stage')?.other;
  const way =
    stage && 'text' in stage ? `moves “${title}” to the stage ${stage.text}` : `finishes “${title}”`;
  return `This ${way}, past the human checkpoint ${stageLabel(checkpoint)}.`;
}

function shown(column: string, value: Json, nameOf: (userId: string | null) => string): ShownValue {
  const { kind, to } = columnsOf('tasks')[column] ?? {};
  if (to === 'user') return { text: value === null ? 'nobody' : nameOf(String(value)) };
  if (value === null || value === '') return { text: 'nothing' };
  if (to !== undefined) return { table: to, id: String(value) };
  if (column === 'current_stage') return { text: stageLabel(String(value)) };
  if (column === 'status') return { text: TASK_STATUS_LABELS[value as TaskStatus] ?? String(value) };
  if (column === 'priority') return { text: PRIORITY_LABELS[value as TaskPriority] ?? String(value) };
  if (kind === 'time') return { text: new Date(String(value)).toLocaleString() };
  return { text: typeof value === 'string' ? value : JSON.stringify(value) };
}

function asObject(value: Json | undefined): Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/**
 * Reads a task's context by SQL: as of one moment, without records in memory, and no more of it than the limits allow
 * (D50).
 */

import { CONTEXT_PARTS, DEFAULT_LIMITS, type FullLimits } from '@/domain/contextLimits';
import type {
  Activity,
  BestPractice,
  Milestone,
  Pattern,
  Project,
  Task,
  Workflow,
  Workspace,
} from '@/domain/entities';
import { PART_TABLES, type PartCounts, SINGLE_TABLES } from '@/domain/taskContext';
import type { RawValue } from '../models/watermelondb';
import {
  type Given,
  QUERIES_OF_WHOLE_LISTS,
  QUERIES_WITHIN_LISTS,
  QUERIES_WITHIN_WHOLE,
  SINGLES,
} from './contextQueries';
import { type Fragment, queryOf } from './fragments';
import { type LocalStore, rowToEntity } from './localStore';

/** The parts of a context; lists in the order in which they are shown. */
export interface ContextParts {
  task: Task;
  milestone: Milestone | null;
  project: Project | null;
  workspace: Workspace | null;
  parent_task: Task | null;
  workflow: Workflow | null;
  subtasks: Task[];
  dependencies: Task[];
  activities: Activity[];
  patterns: Pattern[];
  best_practices: BestPractice[];
  /** How many items each list has on this device. */
  all: PartCounts;
  /** The number of tasks it depends on that are not on this device. */
  absent: number;
}

/** Numbers that every answer ends with: those of the lists, and that of absent tasks. */
const COUNTED = CONTEXT_PARTS.length + 1;

/** @returns whether the whole context may be too large though each list is within its limits */
function mayLackRoom({ bytes, ...lists }: FullLimits): boolean {
  const sum = (limits: Omit<FullLimits, 'bytes'>) =>
    CONTEXT_PARTS.reduce((all, part) => all + limits[part].bytes, 0);
  const forSingles = DEFAULT_LIMITS.bytes - sum(DEFAULT_LIMITS);
  return bytes < sum(lists) + forSingles;
}

/** @returns the parts of a task's context on this device; null without the task */
export async function partsFromRows(
  { database }: LocalStore,
  taskId: string,
  limits: FullLimits,
): Promise<ContextParts | null> {
  const given = { taskId, limits };
  const read = (queries: readonly Fragment<Given>[]) =>
    database.readAll(queries.map((query) => queryOf(query, given)));
  let found = mayLackRoom(limits) ? await read(QUERIES_WITHIN_WHOLE) : await read(QUERIES_OF_WHOLE_LISTS);
  const areWhole = found.at(-1)?.[0]?.slice(COUNTED) ?? [];
  // Everything is read anew: what the first answer has is of an earlier moment.
  if (areWhole.includes(0)) found = await read(QUERIES_WITHIN_LISTS);
  const singles = SINGLES.map((name, index) => {
    const [row] = found[index] ?? [];
    return [name, row ? rowToEntity(SINGLE_TABLES[name], row) : null];
  });
  const lists = CONTEXT_PARTS.map((part, index) => {
    const rows: readonly RawValue[][] = found[SINGLES.length + index] ?? [];
    return [part, rows.map((row) => rowToEntity(PART_TABLES[part], row))];
  });
  const counts = found.at(-1)?.[0] ?? [];
  const all = CONTEXT_PARTS.map((part, index) => [part, Number(counts[index])]);
  const parts = Object.fromEntries([...singles, ...lists]) as Omit<ContextParts, 'all' | 'absent'>;
  return (
    parts.task && {
      ...parts,
      all: Object.fromEntries(all) as unknown as PartCounts,
      absent: Number(counts[CONTEXT_PARTS.length]),
    }
  );
}

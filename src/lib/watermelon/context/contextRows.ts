/**
 * Reads a task's context by SQL: as of one moment, without records in memory, and no more of it than the limits allow
 * (D50).
 */

import { CONTEXT_PARTS, type ContextPart, DEFAULT_LIMITS, type FullLimits } from '@/domain/contextLimits';
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
import type { SyncedTable } from '@/domain/schema';
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
import { jsonColumns, type LocalStore, rowToEntity } from './localStore';

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
  /** Whether the lists hold what the limits allow and no more. */
  isBounded: boolean;
}

/** @returns whether the whole context may be too large though each list is within its limits */
function mayLackRoom({ bytes, ...lists }: FullLimits): boolean {
  const sum = (limits: Omit<FullLimits, 'bytes'>) =>
    CONTEXT_PARTS.reduce((all, part) => all + limits[part].bytes, 0);
  const forSingles = DEFAULT_LIMITS.bytes - sum(DEFAULT_LIMITS);
  return bytes < sum(lists) + forSingles;
}

type Rows = readonly (readonly RawValue[])[];

const rowsOf = (found: readonly Rows[], part: ContextPart) =>
  found[SINGLES.length + CONTEXT_PARTS.indexOf(part)] ?? [];
const countOf = (found: readonly Rows[], index: number) => Number(found.at(-1)?.[0]?.[index] ?? 0);

/** @returns how many items a list has; where it was read as a whole, its rows say so (see `wholeList`) */
function itemsOf(found: readonly Rows[], part: ContextPart, isWhole: boolean): number {
  const [first] = rowsOf(found, part);
  if (isWhole && part !== 'activities') return Number(first?.at(-1) ?? 0);
  return countOf(found, CONTEXT_PARTS.indexOf(part));
}

/** @returns whether nothing of a list was read though it has items */
function lacksList(found: readonly Rows[]): boolean {
  return CONTEXT_PARTS.some((part, index) => rowsOf(found, part).length === 0 && countOf(found, index) > 0);
}

/**
 * @returns the parts of a task's context on this device, null without the task. Lists hold all that the limits allow;
 * where `isBounded` is false they may hold more.
 */
export async function partsFromRows(
  { database }: LocalStore,
  taskId: string,
  limits: FullLimits,
): Promise<ContextParts | null> {
  const given = { taskId, limits };
  const read = (queries: readonly Fragment<Given>[]) =>
    database.readAll(queries.map((query) => queryOf(query, given)));
  const isTight = mayLackRoom(limits);
  let found = await read(isTight ? QUERIES_WITHIN_WHOLE : QUERIES_OF_WHOLE_LISTS);
  const areWhole = !isTight && !lacksList(found);
  // Everything is read anew: what the first answer has is of an earlier moment.
  if (!isTight && !areWhole) found = await read(QUERIES_WITHIN_LISTS);

  const task = found[0]?.[0];
  if (!task) return null;
  const parts: Record<string, unknown> = {};
  for (const [index, name] of SINGLES.entries()) {
    const row = found[index]?.[0];
    parts[name] = row ? rowToEntity(SINGLE_TABLES[name], row) : null;
  }
  const all: Record<string, number> = {};
  for (const part of CONTEXT_PARTS) {
    parts[part] = rowsOf(found, part).map((row) => rowToEntity(PART_TABLES[part], row));
    all[part] = itemsOf(found, part, areWhole);
  }
  const isBounded =
    areWhole && !CONTEXT_PARTS.some((part) => holdsWideNumber(PART_TABLES[part], rowsOf(found, part)));
  const absent = countOf(found, CONTEXT_PARTS.length);
  if (database.isLeaving((parts.task as Task).workspace_id)) return null;
  return { ...parts, all, absent, isBounded } as unknown as ContextParts;
}

/** A number that JSON text has with an exponent, and PostgreSQL without one: up to 300 digits long. */
const WIDE_NUMBER = /\de[+-]\d/;

function holdsWideNumber(table: SyncedTable, rows: Rows): boolean {
  const json = jsonColumns(table);
  return rows.some((row) => json.some((at) => WIDE_NUMBER.test(String(row[at]))));
}

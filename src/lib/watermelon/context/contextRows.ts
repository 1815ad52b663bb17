/**
 * Reads a task's context by SQL: in one transaction and one round trip, without records in memory (D50), and no more of
 * it than the limits allow. Which rows those are is decided from their numbers and sizes, which SQLite knows without
 * reading their texts.
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
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { CLOSED, PART_TABLES, type PartCounts, SINGLE_TABLES } from '@/domain/taskContext';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import type { RawValue } from '../models/watermelondb';
import { type Fragment, queryOf, sqlOf } from './fragments';
import { type LocalStore, rowToEntity, selectEntities } from './localStore';

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
  /** The number of tasks it depends on, those that are not on this device included. */
  linked: number;
}

interface Given {
  taskId: string;
  limits: FullLimits;
}

const sql = sqlOf<Given>();
const TASK = ({ taskId }: Given) => taskId;
const LIVE = `"_status" <> 'deleted'`;

const ofTask = (column: string) => sql`(select "${column}" from "tasks" where "id" = ${TASK})`;
const PROJECT = sql`(select m."project_id" from "tasks" t join "milestones" m on m."id" = t."milestone_id"
  where t."id" = ${TASK} and m."_status" <> 'deleted')`;
const LINKED = sql`select "depends_on_task_id" from "task_dependencies" where "task_id" = ${TASK} and ${LIVE}`;
const KNOWLEDGE = sql`"workspace_id" in ('${GLOBAL_SCOPE_ID}', ${ofTask('workspace_id')})
  and ("project_id" is null or "project_id" = ${PROJECT})`;

type Single = keyof typeof SINGLE_TABLES;
const SINGLES = Object.keys(SINGLE_TABLES) as Single[];
const SINGLE_ROWS: Record<Single, Fragment<Given>> = {
  task: sql`"id" = ${TASK}`,
  milestone: sql`"id" = ${ofTask('milestone_id')}`,
  project: sql`"id" = ${PROJECT}`,
  workspace: sql`"id" = ${ofTask('workspace_id')}`,
  parent_task: sql`"id" = ${ofTask('parent_task_id')}`,
  workflow: sql`"id" = coalesce(${ofTask('workflow_id')}, '${STANDARD_WORKFLOW_ID}')`,
};

interface List {
  rows: Fragment<Given>;
  /** What orders the items as they are shown; with the ids, which come last, no two are alike. */
  shown: readonly string[];
  /** What matters more is smaller, as `rankOf` of `domain/taskContext` says. */
  rank?: string;
  isDescending?: boolean;
}

const IS_CLOSED = `"status" in (${CLOSED.map((status) => `'${status}'`).join()})`;
const REACH = `case when "workspace_id" = '${GLOBAL_SCOPE_ID}' then 2 when "project_id" is null then 1 else 0 end`;
const LISTS: Record<ContextPart, List> = {
  subtasks: { rows: sql`"parent_task_id" = ${TASK}`, shown: ['"sort_order"', '"id"'], rank: IS_CLOSED },
  dependencies: { rows: sql`"id" in (${LINKED})`, shown: ['"title"', '"id"'], rank: IS_CLOSED },
  activities: { rows: sql`"task_id" = ${TASK}`, shown: ['"created_at"', '"id"'], isDescending: true },
  patterns: { rows: KNOWLEDGE, shown: ['"name"', '"id"'], rank: REACH },
  best_practices: { rows: KNOWLEDGE, shown: ['"name"', '"id"'], rank: REACH },
};

function orderOf(keys: readonly string[], { isDescending }: List): string {
  return keys.map((key) => (isDescending ? `${key} desc` : key)).join();
}

/**
 * The bytes of what is written in a row. JSON is stored without spaces, so that this is at most what `textBytes` says of
 * the record: what is read includes all that may be returned.
 */
function sizeOf(table: SyncedTable): string {
  const written = Object.entries(columnsOf(table)).filter(([, { kind }]) =>
    ['text', 'prose', 'json'].includes(kind),
  );
  return written.map(([name]) => `coalesce(octet_length("${name}"), 0)`).join(' + ');
}

/** The rows of a list within its own limits, in the order in which they are taken: where each is, and the bytes up to it. */
function withinOwn(part: ContextPart): Fragment<Given> {
  const list = LISTS[part];
  const table = PART_TABLES[part];
  const keys = list.rank ? [list.rank, ...list.shown] : list.shown;
  const named = keys.map((key, index) => `${key} as "key${index}"`).join();
  const order = orderOf(
    keys.map((_, index) => `"key${index}"`),
    list,
  );
  const first = sql`select rowid as "at", ${sizeOf(table)} as "size", ${named} from "${table}"
    where ${list.rows} and ${LIVE} order by ${orderOf(keys, list)} limit ${({ limits }) => limits[part].items}`;
  return sql`select "at", "reached" from (
    select "at", sum("size") over (order by ${order} rows unbounded preceding) as "reached" from (${first}))
    where "reached" <= ${({ limits }) => limits[part].bytes}`;
}

/** Of the rows within the list's own limits, those for which the whole context has room too. */
function withinWhole(part: ContextPart): Fragment<Given> {
  const before = CONTEXT_PARTS.slice(0, CONTEXT_PARTS.indexOf(part)).map(
    (earlier) => sql`(select coalesce(max("reached"), 0) from (${withinOwn(earlier)}))`,
  );
  const singles = SINGLES.map((name) => {
    const table = SINGLE_TABLES[name];
    return sql`coalesce((select ${sizeOf(table)} from "${table}" where ${SINGLE_ROWS[name]} and ${LIVE}), 0)`;
  });
  const others = [...singles, ...before].reduce((sum, bytes) => sql`${sum} + ${bytes}`);
  return sql`select "at", "reached" from (${withinOwn(part)})
    where "reached" + (${others}) <= ${({ limits }) => limits.bytes}`;
}

function select(table: SyncedTable, where: Fragment<Given>, order = ''): Fragment<Given> {
  return { ...where, text: selectEntities(table, where.text, order) };
}

function queriesOf(within: (part: ContextPart) => Fragment<Given>): Fragment<Given>[] {
  const singles = SINGLES.map((name) => select(SINGLE_TABLES[name], SINGLE_ROWS[name]));
  const lists = CONTEXT_PARTS.map((part) => {
    const chosen = sql`rowid in (select "at" from (${within(part)}))`;
    return select(PART_TABLES[part], chosen, `order by ${orderOf(LISTS[part].shown, LISTS[part])}`);
  });
  const counts = [
    ...CONTEXT_PARTS.map(
      (part) => sql`(select count(*) from "${PART_TABLES[part]}" where ${LISTS[part].rows} and ${LIVE})`,
    ),
    sql`(select count(distinct "depends_on_task_id") from (${LINKED}))`,
  ];
  return [...singles, ...lists, sql`select ${counts.reduce((row, count) => sql`${row}, ${count}`)}`];
}

const QUERIES = queriesOf(withinOwn);
/** What each list may take depends on those before it, which have to be sized for it once more. */
const QUERIES_OF_LITTLE_ROOM = queriesOf(withinWhole);

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
  const queries = mayLackRoom(limits) ? QUERIES_OF_LITTLE_ROOM : QUERIES;
  const found = await database.readAll(queries.map((query) => queryOf(query, { taskId, limits })));
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
  const parts = Object.fromEntries([...singles, ...lists]) as Omit<ContextParts, 'all' | 'linked'>;
  return (
    parts.task && {
      ...parts,
      all: Object.fromEntries(all) as unknown as PartCounts,
      linked: Number(counts[CONTEXT_PARTS.length]),
    }
  );
}

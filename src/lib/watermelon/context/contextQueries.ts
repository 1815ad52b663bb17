/**
 * The SQL of a task's context. Which rows the limits allow is decided from their numbers and sizes, which SQLite knows
 * without reading their texts.
 */

import { CONTEXT_PARTS, type ContextPart, type FullLimits } from '@/domain/contextLimits';
import type { SyncedTable } from '@/domain/schema';
import { CLOSED, PART_TABLES, SINGLE_TABLES, writtenColumns } from '@/domain/taskContext';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { type Fragment, sqlOf } from './fragments';
import { selectEntities } from './localStore';

export interface Given {
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
const REACHABLE = sql`"workspace_id" in ('${GLOBAL_SCOPE_ID}', ${ofTask('workspace_id')})`;
// Asked in one condition, SQLite would look at those of all projects of the workspace.
const KNOWLEDGE = [
  sql`${REACHABLE} and "project_id" is null`,
  sql`${REACHABLE} and "project_id" = ${PROJECT}`,
];

type Single = keyof typeof SINGLE_TABLES;
export const SINGLES = Object.keys(SINGLE_TABLES) as Single[];
const SINGLE_ROWS: Record<Single, Fragment<Given>> = {
  task: sql`"id" = ${TASK}`,
  milestone: sql`"id" = ${ofTask('milestone_id')}`,
  project: sql`"id" = ${PROJECT}`,
  workspace: sql`"id" = ${ofTask('workspace_id')}`,
  parent_task: sql`"id" = ${ofTask('parent_task_id')}`,
  workflow: sql`"id" = coalesce(${ofTask('workflow_id')}, '${STANDARD_WORKFLOW_ID}')`,
};

interface List {
  /** Each item meets one of these conditions and no two of them; each is looked up along an index. */
  rows: readonly Fragment<Given>[];
  /** The columns that order the items as they are shown; with the ids, which come last, no two are alike. */
  shown: readonly string[];
  /** A number that is smaller for what matters more, as `rankOf` of `domain/taskContext` says. */
  rank?: string;
  isDescending?: boolean;
}

const IS_CLOSED = `"status" in (${CLOSED.map((status) => `'${status}'`).join()})`;
const REACH = `case when "workspace_id" = '${GLOBAL_SCOPE_ID}' then 2 when "project_id" is null then 1 else 0 end`;
const LISTS: Record<ContextPart, List> = {
  subtasks: { rows: [sql`"parent_task_id" = ${TASK}`], shown: ['"sort_order"', '"id"'], rank: IS_CLOSED },
  dependencies: { rows: [sql`"id" in (${LINKED})`], shown: ['"title"', '"id"'], rank: IS_CLOSED },
  activities: { rows: [sql`"task_id" = ${TASK}`], shown: ['"created_at"', '"id"'], isDescending: true },
  patterns: { rows: KNOWLEDGE, shown: ['"name"', '"id"'], rank: REACH },
  best_practices: { rows: KNOWLEDGE, shown: ['"name"', '"id"'], rank: REACH },
};

/** @returns what each condition of a list gives, put together. */
function joined(
  { rows }: List,
  by: string,
  give: (where: Fragment<Given>) => Fragment<Given>,
): Fragment<Given> {
  return rows.map(give).reduce((one, other) => sql`${one} ${by} ${other}`);
}

function orderOf(keys: readonly string[], { isDescending }: List): string {
  return keys.map((key) => (isDescending ? `${key} desc` : key)).join();
}

/**
 * The bytes of what is written in a row. JSON is stored without spaces, so that this is at most what `textBytes` says of
 * the record: what is read includes all that may be returned.
 */
function sizeOf(table: SyncedTable): string {
  return writtenColumns(table)
    .map((name) => `coalesce(octet_length("${name}"), 0)`)
    .join(' + ');
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
  const every = joined(
    list,
    'union all',
    (where) =>
      sql`select rowid as "at", ${sizeOf(table)} as "size", ${named} from "${table}" where ${where} and ${LIVE}`,
  );
  const first = sql`${every} order by ${order} limit ${mostItems(part)}`;
  return sql`select "at", "size", "reached" from (
    select "at", "size", sum("size") over (order by ${order} rows unbounded preceding) as "reached" from (${first}))
    where "reached" <= ${({ limits }) => limits[part].bytes}`;
}

/**
 * Of the rows within the list's own limits, those for which the whole context has room too. Of the lists before it only what is
 * in the context for certain counts: JSON may take up to twice what is stored, so that the last rows may not be (see `sizeOf`).
 * And the first row that has no room, since nothing may follow it: `boundContext` decides to the byte.
 */
function withinWhole(part: ContextPart): Fragment<Given> {
  const before = CONTEXT_PARTS.slice(0, CONTEXT_PARTS.indexOf(part)).map(
    (earlier) => sql`(select coalesce(max("reached"), 0) from (${withinOwn(earlier)})
      where "reached" * 2 <= ${({ limits }) => limits[earlier].bytes})`,
  );
  const singles = SINGLES.map((name) => {
    const table = SINGLE_TABLES[name];
    return sql`coalesce((select ${sizeOf(table)} from "${table}" where ${SINGLE_ROWS[name]} and ${LIVE}), 0)`;
  });
  const others = [...singles, ...before].reduce((sum, bytes) => sql`${sum} + ${bytes}`);
  return sql`select "at", "reached" from (${withinOwn(part)})
    where "reached" - "size" + (${others}) <= ${({ limits }) => limits.bytes}`;
}

function select(
  table: SyncedTable,
  where: Fragment<Given>,
  order: Fragment<Given> = sql``,
  ...others: string[]
): Fragment<Given> {
  const text = selectEntities(table, where.text, order.text, ...others);
  return { text, args: [...where.args, ...order.args] };
}

/** @returns the queries of the single records, of the lists, and of the numbers that `counts` names, in this order */
function queriesOf(lists: Fragment<Given>[], counts: Fragment<Given>[]): Fragment<Given>[] {
  const singles = SINGLES.map((name) => select(SINGLE_TABLES[name], SINGLE_ROWS[name]));
  return [...singles, ...lists, sql`select ${counts.reduce((row, count) => sql`${row}, ${count}`)}`];
}

/**
 * How many tasks that the task depends on are not on this device. `count(distinct)` and `limit` in a subquery would take a table
 * of their own, which costs as much as all the rest.
 */
const ABSENT = sql`(select count(*) from "task_dependencies" l where l."task_id" = ${TASK} and l.${LIVE} and not exists (
    select 1 from "tasks" t where t."id" = l."depends_on_task_id" and t.${LIVE}))`;

/**
 * How many items a list has. Of activities, which may be thousands, the index is counted; those that are deleted here, of
 * which there are few, are found by theirs.
 */
function countOf(part: ContextPart): Fragment<Given> {
  const [table, list] = [PART_TABLES[part], LISTS[part]];
  const isLarge = part === 'activities';
  return joined(list, '+', (where) =>
    isLarge
      ? sql`(select count(*) from "${table}" where ${where})
          - (select count(*) from "${table}" where "_status" = 'deleted' and +${where})`
      : sql`(select count(*) from "${table}" where ${where} and ${LIVE})`,
  );
}

/** How many items each list has, then the number of absent tasks. */
const COUNTS = [...CONTEXT_PARTS.map(countOf), ABSENT];

/** The same, but of lists that count themselves (see `wholeList`) whether they have any. */
const COUNTS_OF_WHOLE_LISTS = [
  ...CONTEXT_PARTS.map((part) => {
    const list = LISTS[part];
    if (!list.rank) return countOf(part);
    return joined(
      list,
      'or',
      (where) => sql`exists (select 1 from "${PART_TABLES[part]}" where ${where} and ${LIVE})`,
    );
  }),
  ABSENT,
];

const shownOrder = (part: ContextPart) => `order by ${orderOf(LISTS[part].shown, LISTS[part])}`;

/**
 * A list where it is within its own limits for certain, else nothing: JSON may be twice as long as it is stored (see
 * `sizeOf`). After the columns of each row comes the number of rows; but of activities, which are taken in the order in
 * which they are shown, as many as are asked for, without a number.
 */
function wholeList(part: ContextPart): Fragment<Given> {
  const [table, list] = [PART_TABLES[part], LISTS[part]];
  const hasRoom = (bytes: string) => sql`${bytes} * 2 <= ${({ limits }) => limits[part].bytes}`;
  if (list.rank) {
    const sizes = joined(
      list,
      'union all',
      (where) => sql`select ${sizeOf(table)} as "size" from "${table}" where ${where} and ${LIVE}`,
    );
    const own = sql`with "own" as materialized (
      select count(*) as "items", coalesce(sum("size"), 0) as "bytes" from (${sizes}))`;
    const fits = sql`(select "items" <= ${mostItems(part)} and ${hasRoom('"bytes"')} from "own")`;
    const items = joined(list, 'union all', (where) =>
      select(table, sql`${where} and ${fits}`, sql``, '(select "items" from "own")'),
    );
    return sql`${own} ${items} ${shownOrder(part)}`;
  }
  const rows = joined(list, 'or', (where) => where);
  const last = sql`select * from (select "created_at", "id" from "${table}" where ${rows} and ${LIVE} ${shownOrder(part)}
    limit 1 offset max(${mostItems(part)} - 1, 0)) union all select -1e300, '' limit 1`;
  const fits = sql`(select ${hasRoom(`coalesce(sum(${sizeOf(table)}), 0)`)} from "${table}" where ${rows} and ${LIVE}
    and ("created_at", "id") >= (${last}))`;
  // SQLite plans a statement anew for each value of a bare `limit ?`, which takes several times as long as running it.
  return select(table, sql`${rows} and ${fits}`, sql`${shownOrder(part)} limit 0 + ${mostItems(part)}`);
}

function mostItems(part: ContextPart) {
  return ({ limits }: Given) => limits[part].items;
}

function bounded(within: (part: ContextPart) => Fragment<Given>): Fragment<Given>[] {
  const lists = CONTEXT_PARTS.map((part) =>
    select(PART_TABLES[part], sql`rowid in (select "at" from (${within(part)}))`, sql`${shownOrder(part)}`),
  );
  return queriesOf(lists, COUNTS);
}

/** Reads lists that are within their limits, as nearly all are, and nothing of the others. */
export const QUERIES_OF_WHOLE_LISTS = queriesOf(CONTEXT_PARTS.map(wholeList), COUNTS_OF_WHOLE_LISTS);

/** Reads of each list what is within its own limits. SQLite needs several times as long as for whole lists. */
export const QUERIES_WITHIN_LISTS = bounded(withinOwn);

/** Reads of each list what is within its own limits and, with the lists before it, within those of the whole context. */
export const QUERIES_WITHIN_WHOLE = bounded(withinWhole);

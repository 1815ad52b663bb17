/** Long lists of tasks: the first rows at once, the whole in slices, so that neither the storage nor the page is busy for long. */

import type { Observable } from 'rxjs';
import type { Task } from '@/domain/entities';
import type { ConvoyDatabase } from '../database';
import {
  conditionsOf,
  LIVE,
  type Observed,
  observedReader,
  observeEntities,
  type Where,
} from './liveRecords';

/** A task without its long texts, of which a list shows none. */
export type TaskLine = Omit<Task, 'description'>;

const LONG_TEXTS = ['description'];

/** Rows that are read in one go: a few milliseconds of work for the storage, for which what a person does meanwhile waits. */
const SLICE = 400;

/** As `observeRecords`, of tasks for a list. */
export function observeTaskLines(
  database: ConvoyDatabase,
  where: Where = {},
): Observable<Observed<TaskLine>[]> {
  return observeEntities<TaskLine>(database, 'tasks', where, LONG_TEXTS, async (selected, take) => {
    const { columns, conditions } = selected;
    const { sql, args } = conditions;
    const [[places] = []] = await database.readAll([
      { sql: `select json_group_array("rowid") from "tasks" where ${sql}`, args },
    ]);
    const all = JSON.parse(String(places?.[0] ?? '[]')) as number[];
    for (let at = 0; at < all.length; at += SLICE) {
      const slice = JSON.stringify(all.slice(at, at + SLICE));
      const among = `"rowid" in (select "value" from json_each(?))`;
      // A row that has left the list since is met no more; one that came is told as a change.
      const [rows = []] = await database.readAll([
        { sql: `select ${columns} from "tasks" where ${among} and ${sql}`, args: [slice, ...args] },
      ]);
      if (!take(rows)) return;
    }
  });
}

/** The tasks that stand first in a list that is sorted by hand. */
export interface FirstLines {
  tasks: Observed<TaskLine>[];
  /** How many the whole list has. */
  total: number;
  /** In groups: how many tasks there are of each value of the column. */
  sizes: ReadonlyMap<string | null, number>;
}

/** By which a list may be grouped. */
export type GroupColumn = 'current_stage' | 'milestone_id' | 'assignee_id' | 'status';

/** A screenful of a large screen; so many tasks are looked at for it; and with their subtasks these are no more. */
const [FIRST, LOOKED_AT, MOST_FIRST] = [60, 400, 400];
/** Each group takes a look at all tasks of the list: where there are more, it is read whole at once. */
const MOST_GROUPS = 10;

/**
 * @param column by which the list is grouped; null: it has no groups, and subtasks stand under their tasks
 * @returns the first tasks by their place, of each group or with all their subtasks in the list, in no order; null where these are
 *   too many, or too much stands before them, and where what is shown depends on more than the tasks
 */
export async function readFirstLines(
  database: ConvoyDatabase,
  where: Where,
  column: GroupColumn | null,
): Promise<FirstLines | null> {
  // The workspaces that the user is leaving show nothing; the whole list knows when.
  if (database.standing.leaving.size > 0) return null;
  return column === null ? readFirst(database, where) : readFirstOfGroups(database, where, column);
}

/** The tasks are looked for by the index of milestones alone, and so are they counted: it has no need of the rows. */
async function readFirst(database: ConvoyDatabase, where: Where): Promise<FirstLines | null> {
  const { columns, shownAs } = observedReader<TaskLine>('tasks', LONG_TEXTS);
  const { values, unindexed, args } = conditionsOf(where);
  const [rows = [], [counted] = []] = await database.readAll([
    {
      sql: `with recursive
        "candidate" ("id") as materialized (
          select "id" from "tasks" where ${values} order by "sort_order", "id" limit ${LOOKED_AT}),
        "first" ("id") as materialized (
          select "id" from "tasks" where "id" in (select "id" from "candidate") and ${LIVE} and ("parent_task_id" is null
            or not exists (select 1 from "tasks" "above"
              where "above"."id" = "tasks"."parent_task_id" and ${LIVE} and ${unindexed}))
          order by "sort_order", "id" limit ${FIRST}),
        "shown" ("id") as (
          select "id" from "first"
          union select "tasks"."id" from "shown" join "tasks" on "parent_task_id" = "shown"."id"
          where ${LIVE} and ${unindexed} limit ${MOST_FIRST})
        select ${columns} from "tasks" where "id" in (select "id" from "shown")`,
      args: [...args, ...args, ...args],
    },
    {
      sql: `select (select count(*) from "tasks" where ${values})
        - (select count(*) from "tasks" where "_status" = 'deleted' and ${unindexed})`,
      args: [...args, ...args],
    },
  ]);
  const total = Number(counted?.[0]);
  if (rows.length === 0 || rows.length === MOST_FIRST) return null;
  return { tasks: rows.map(shownAs), total, sizes: new Map() };
}

async function readFirstOfGroups(
  database: ConvoyDatabase,
  where: Where,
  column: GroupColumn,
): Promise<FirstLines | null> {
  const { names, columns, shownAs } = observedReader<TaskLine>('tasks', LONG_TEXTS);
  const { sql, args } = conditionsOf(where);
  const [rows = []] = await database.readAll([
    {
      // Of each group only its own rows are put in order, which takes less than to number them all.
      sql: `with "groups" ("group", "size") as materialized (
          select "${column}", count(*) from "tasks" where ${sql} group by "${column}")
        select ${columns}, "size"
        from (select * from "groups" where (select count(*) from "groups") <= ${MOST_GROUPS})
        join "tasks" on "tasks"."rowid" in (
          select "rowid" from "tasks" where ${sql} and "${column}" is "group" order by "sort_order", "id" limit ${FIRST})`,
      args: [...args, ...args],
    },
  ]);
  if (rows.length === 0) return null;
  const at = names.indexOf(column);
  const sizes = new Map(rows.map((row) => [row[at] as string | null, Number(row.at(-1))]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { tasks: rows.map((row) => shownAs(row.slice(0, -1))), total, sizes };
}

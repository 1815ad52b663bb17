/** In which groups a device pushes again what a restored server has lost (P13). */

import { RESERVED_ACTIVITIES, tales } from '@/domain/activities';
import { mayWrite } from '@/domain/permissions';
import type { SyncedTable } from '@/domain/schema';
import type { ScopeRole } from '@/domain/vocabulary';
import type { ApplyContext } from '../records/applyContext';
import { AMONG } from '../records/statements';

/**
 * @param ids records that the server has lost
 * @returns the group of each that is to be recreated: its own, or that of the change that it tells of, since the server
 *   takes an activity of Convoy's own only with that (U30). The others are left to the archive.
 */
export async function recreatedGroups(
  { work, userId }: ApplyContext,
  table: SyncedTable,
  ids: readonly string[],
  role: ScopeRole,
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0 || role === 'reference' || !mayWrite(role, table, 'insert')) return new Map();
  if (table !== 'activity_feed') return new Map(ids.map((id) => [id, groupOf(id)]));
  const args = [userId, JSON.stringify(ids)];
  const [found = []] = await work.readStored([{ sql: GROUPS_OF_ACTIVITIES, args }]);
  return new Map(
    found.flatMap(([id, group]) => (typeof group === 'string' ? [[String(id), group] as const] : [])),
  );
}

const groupOf = (id: string): string => `recreated/${id}`;

/** @returns SQL for the types of activities that tell of a new record of a table. */
const typesOf = (table: SyncedTable): string =>
  listed(tales({ table, op: 'insert', id: '', taskId: '', dependsOnId: '' }).map((tale) => tale.trim()));

const listed = (types: readonly string[]): string => types.map((type) => `'${type}'`).join();

/** Meets records that this sweep has recreated: the tables that activities tell of come before theirs. */
const IS_RECREATED = `"_status" = 'created' and instr("sync_base", '"${groupOf('')}' || "id" || '"') > 0`;

const GROUPS_OF_ACTIVITIES = `
  select "id", case
    when "activity_type" in (${typesOf('tasks')}) then (
      select '${groupOf('')}' || "tasks"."id" from "tasks"
      where "tasks"."id" = "activity_feed"."task_id" and ${IS_RECREATED.replaceAll('"id"', '"tasks"."id"')})
    when "activity_type" in (${typesOf('task_dependencies')}) then (
      select '${groupOf('')}' || max("link"."id") from "task_dependencies" as "link"
      where "link"."task_id" = "activity_feed"."task_id"
        and "link"."depends_on_task_id" = "activity_feed"."details" ->> '$.depends_on_task_id' and ${IS_RECREATED.replaceAll('"id"', '"link"."id"')})
    -- That a conflict was settled is taken from who met it.
    when "activity_type" = 'conflict_settled' and "actor_id" is not ? then null
    when "activity_type" <> 'conflict_settled' and "activity_type" in (${listed(RESERVED_ACTIVITIES)}) then null
    else '${groupOf('')}' || "id" end
  from "activity_feed" where ${AMONG}`;

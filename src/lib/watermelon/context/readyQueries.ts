/** Readiness and the next task from the local database (rules N of `docs/work-model.md`); the server's are in `31_ready.sql`. */

import type { Task, WorkflowStage } from '@/domain/entities';
import {
  type Asker,
  type Readiness,
  type ReadinessFacts,
  readinessOf,
  type WaitedTask,
} from '@/domain/ready';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID, TASK_PRIORITIES } from '@/domain/vocabulary';
import type { NextTask } from '@/domain/work';
import type { RawValue } from '../models/watermelondb';
import { type LocalStore, rowToEntity, selectEntities } from './localStore';

/** Local ids of what the next task is to be in. */
export interface NextScope {
  workspaceId: string | null;
  projectId: string | null;
}

/** A task and those above it, the nearest first. */
const ABOVE = `with recursive above (id, level) as (
  select ?, 0
  union all
  select t.parent_task_id, a.level + 1 from above a join tasks t on t.id = a.id
  where t.parent_task_id is not null and t._status <> 'deleted')`;

/** @returns what decides about a task; null where it is not on this device */
async function readFacts(store: LocalStore, taskId: string): Promise<ReadinessFacts | null> {
  const of = (sql: string) => ({ sql, args: [taskId] });
  const [tasks = [], places = [], workflows = [], subtasks = [], dependencies = [], ancestors = []] =
    await store.database.readAll([
      of(selectEntities('tasks', '"id" = ?')),
      of(`select m.id, m.status, p.id, p.status from tasks t join milestones m on m.id = t.milestone_id and m._status <> 'deleted'
        left join projects p on p.id = m.project_id and p._status <> 'deleted' where t.id = ?`),
      of(`select w.stages from tasks t join workflows w on w.id = coalesce(t.workflow_id, '${STANDARD_WORKFLOW_ID}')
        where t.id = ? and w._status <> 'deleted'`),
      of(`select s.id, s.title, s.status from tasks s where s.parent_task_id = ? and s._status <> 'deleted'
        and s.status not in ('done', 'cancelled') order by s.id`),
      // A deleted task takes its dependencies along: while the server has not got the deletion, both are still here.
      of(`${ABOVE} select a.id, d.depends_on_task_id, n.title, case when n._status = 'deleted' then 'deleted' else n.status end
        from above a join task_dependencies d on d.task_id = a.id left join tasks n on n.id = d.depends_on_task_id
        where d._status <> 'deleted' or n._status = 'deleted' order by a.level, d.depends_on_task_id`),
      of(`${ABOVE} select a.id from above a where not exists (
        select 1 from tasks t where t.id = a.id and t._status <> 'deleted')`),
    ]);
  const [row] = tasks;
  if (!row || store.isLeaving(row[1])) return null;
  const [place] = places;
  const [workflow] = workflows;
  const text = (value: RawValue | undefined) => String(value);
  return {
    task: rowToEntity<Task>('tasks', row),
    milestone: place ? { id: text(place[0]), status: text(place[1]) as never } : null,
    project: place && place[2] !== null ? { id: text(place[2]), status: text(place[3]) as never } : null,
    stages: workflow ? (JSON.parse(text(workflow[0])) as WorkflowStage[]) : null,
    subtasks: subtasks.map(([id, title, status]) => waited(text(id), text(title), status)),
    dependencies: dependencies
      .filter((found) => found[3] !== null)
      .map(([task, id, title, status]) => ({ of: text(task), ...waited(text(id), text(title), status) })),
    absent: [
      ...ancestors.map(([id]) => ({ what: 'ancestor' as const, id: text(id) })),
      ...dependencies
        .filter((found) => found[3] === null)
        .map((found) => ({ what: 'dependency' as const, id: text(found[1]) })),
    ],
  };
}

function waited(id: string, title: string, status: RawValue | undefined): WaitedTask {
  return { id, title, status: status as WaitedTask['status'] };
}

/** @returns null where the task is not on this device */
export async function readReadiness(
  store: LocalStore,
  taskId: string,
  asker: Asker,
): Promise<Readiness | null> {
  const facts = await readFacts(store, taskId);
  return facts && readinessOf(facts, asker);
}

/** The conditions under which a task `t` is ready, for a user, a session and a time that are bound as :me, :own and :now. */
const READY = `t.status in ('todo', 'in_progress') and t._status <> 'deleted'
  and (t.assignee_id is null or t.assignee_id = :me)
  and not (t.claim_id is not null and t.claimed_by is not null and t.claimed_until > :now
    and (t.claimed_by <> :me or :own is not null and t.claim_id <> :own))
  and exists (select 1 from stages s
    where s.workflow_id = coalesce(t.workflow_id, '${STANDARD_WORKFLOW_ID}') and s.name = t.current_stage)
  and not exists (select 1 from tasks s
    where s.parent_task_id = t.id and s.status not in ('done', 'cancelled') and s._status <> 'deleted')
  and not exists (
    with recursive above (id) as (
      select t.id union select p.parent_task_id from above a join tasks p on p.id = a.id where p.parent_task_id is not null)
    select 1 from above a
    where not exists (select 1 from tasks h where h.id = a.id and h._status <> 'deleted')
      or exists (select 1 from task_dependencies d left join tasks n on n.id = d.depends_on_task_id
        where d.task_id = a.id and d._status <> 'deleted'
          and (n.id is null or n._status <> 'deleted' and n.status not in ('done', 'cancelled'))))`;

/** Stages at which work is done. */
const STAGES = `stages (workflow_id, name) as materialized (
    select w.id, json_extract(s.value, '$.name') from workflows w, json_each(w.stages) s
    where w._status <> 'deleted' and coalesce(json_extract(s.value, '$.is_checkpoint'), 0) = 0)`;

/** And milestones in which it is: those that are here and open. */
const WHERE = `with ${STAGES},
  places (id, day) as materialized (
    select m.id, m.target_date from milestones m join projects p on p.id = m.project_id
    where m.status not in ('completed', 'cancelled') and m._status <> 'deleted'
      and p.status not in ('paused', 'completed', 'archived') and p._status <> 'deleted'
      and m.workspace_id not in (select value from json_each(:leaving)) and m.workspace_id <> '${GLOBAL_SCOPE_ID}'
      and (:workspace is null or m.workspace_id = :workspace) and (:project is null or p.id = :project))`;

/** Tasks that the user has, ready ones alone; live claims first. */
const OWN = `${WHERE}
  select t.id from tasks t join places on places.id = t.milestone_id
  where t.claimed_by = :me and t.claim_id is not null and ${READY}
  order by t.claimed_until > :now desc, case t.priority when 'urgent' then 0 when 'high' then 1 when 'medium' then 2 else 3 end,
    places.day is null, places.day, t.sort_order, t.created_at, t.id limit 1`;

/** The open milestones, in the order in which their tasks come. */
const PLACES = `${WHERE}
  select id, day from places order by day is null, day, id`;

/**
 * The first task of a priority in some milestones. Of each the first one that is ready is looked up, by the index that has its tasks
 * in this order; the best of those is the answer.
 */
const FIRST = `with ${STAGES},
  firsts (id, day) as materialized (
    select (select t.id from tasks t where t.milestone_id = m.id and t.priority = :priority and ${READY}
      order by t.sort_order, t.created_at, t.id limit 1), m.target_date
    from json_each(:places) j join milestones m on m.id = j.value)
  select t.id from firsts join tasks t on t.id = firsts.id
  order by firsts.day is null, firsts.day, t.sort_order, t.created_at, t.id limit 1`;

/** Milestones that are looked through at once, at least. */
const AT_ONCE = 40;

/** @returns the milestones in parts, of which no two have one of the same day */
function partsOf(places: readonly (readonly RawValue[])[]): string[][] {
  const parts: string[][] = [];
  let last: RawValue | undefined;
  for (const [id, day] of places) {
    const part = parts.at(-1);
    if (part && (part.length < AT_ONCE || day === last)) part.push(String(id));
    else parts.push([String(id)]);
    last = day;
  }
  return parts;
}

/** The open tasks, whether ready or not: how many, and the first ones. */
const OPEN = `
  select t.id, count(*) over () from tasks t join milestones m on m.id = t.milestone_id and m._status <> 'deleted'
    join projects p on p.id = m.project_id and p._status <> 'deleted'
  where t.status in ('todo', 'in_progress') and t._status <> 'deleted'
    and m.workspace_id not in (select value from json_each(:leaving)) and m.workspace_id <> '${GLOBAL_SCOPE_ID}'
    and (:workspace is null or m.workspace_id = :workspace) and (:project is null or p.id = :project)
  order by case t.priority when 'urgent' then 0 when 'high' then 1 when 'medium' then 2 else 3 end,
    m.target_date is null, m.target_date, t.sort_order, t.created_at, t.id limit 5`;

const BY_PRIORITY = [...TASK_PRIORITIES].reverse();

/** @returns the next task, or why there is none, as far as this device knows */
export async function readNext(store: LocalStore, scope: NextScope, asker: Asker): Promise<NextTask> {
  const given = {
    me: asker.userId,
    own: asker.claimId,
    now: asker.now,
    leaving: JSON.stringify([...store.database.standing.leaving]),
    workspace: scope.workspaceId,
    project: scope.projectId,
  };
  const first = async (sql: string, priority = '', places: readonly string[] = []) => {
    const values = { ...given, priority, places: JSON.stringify(places) };
    const [rows = []] = await store.database.readAll([bound(sql, values)]);
    return rows;
  };
  let [found] = await first(OWN);
  const parts = found ? [] : partsOf(await first(PLACES));
  for (const priority of BY_PRIORITY) {
    for (const part of parts) {
      if (found) break;
      [found] = await first(FIRST, priority, part);
    }
  }
  const task = found ? await store.find<Task>('tasks', String(found[0])) : null;
  if (task) return { task };
  const open = await first(OPEN);
  const waiting = await Promise.all(open.map(([id]) => readReadiness(store, String(id), asker)));
  return { task: null, open: Number(open[0]?.[1] ?? 0), waiting: waiting.filter((one) => one !== null) };
}

/** @returns the query with its names in place of which the adapter takes question marks */
function bound(sql: string, values: Readonly<Record<string, string | number | null>>) {
  const args: (string | number | null)[] = [];
  const text = sql.replace(
    /:(me|own|now|leaving|workspace|project|priority|places)\b/g,
    (_, name: string) => {
      args.push(values[name] ?? null);
      return '?';
    },
  );
  return { sql: text, args };
}

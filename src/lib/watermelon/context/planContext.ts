/** The reads of plans, from the local database. */

import type { EntityOf, Task, TaskDependency, WorkspaceMember } from '@/domain/entities';
import type { SyncedTable } from '@/domain/schema';
import type { PlanContext } from '@/domain/writes/plan';
import type { TaskGraph } from '@/domain/writes/taskGraph';
import { Q } from '../models/watermelondb';
import type { LocalFirst } from './localFirst';
import type { LocalStore } from './localStore';

/** @param newPlace the service's own: two contexts give no two tasks one place */
export function localPlanContext(
  { store, clock, userId }: LocalFirst,
  newPlace: PlanContext['newPlace'],
): PlanContext {
  return {
    newPlace,
    userId: async () => userId,
    find: <Table extends SyncedTable>(table: Table, id: string) => store.find<EntityOf[Table]>(table, id),
    entries: (taskId, types) => store.entries(taskId, types),
    isMember: (workspaceId, person) => isMember(store, workspaceId, person, userId),
    dependency: (taskId, dependsOnId) => dependencyBetween(store, taskId, dependsOnId),
    graph: localTaskGraph(store),
    newId: () => store.database.newId(),
    now: () => new Date(clock.now()).toISOString(),
  };
}

async function isMember(
  store: LocalStore,
  workspaceId: string,
  person: string,
  userId: string,
): Promise<boolean | null> {
  const found = await store.query<WorkspaceMember>(
    'workspace_members',
    Q.where('workspace_id', workspaceId),
    Q.where('user_id', person),
  );
  if (found.length > 0) return true;
  // The creator of a workspace that was never pushed is its only member (R1).
  const workspace = await store.record('workspaces', workspaceId);
  if (workspace?.raw.remote_id === null) return person === userId;
  // While the workspace is pulled for the first time, members may be missing.
  return store.database.seenRevision(workspaceId) > 0 ? false : null;
}

async function dependencyBetween(
  store: LocalStore,
  taskId: string,
  dependsOnId: string,
): Promise<TaskDependency | null> {
  const [found] = await store.query<TaskDependency>(
    'task_dependencies',
    Q.where('task_id', store.resolve(taskId)),
    Q.where('depends_on_task_id', store.resolve(dependsOnId)),
  );
  return found ?? null;
}

function localTaskGraph(store: LocalStore): TaskGraph {
  return {
    parentOf: async (taskId) => (await store.find<Task>('tasks', taskId))?.parent_task_id ?? null,
    dependenciesOf: async (taskIds) => {
      const links = await store.query<TaskDependency>(
        'task_dependencies',
        Q.where('task_id', Q.oneOf([...taskIds])),
      );
      return links.map(({ depends_on_task_id }) => depends_on_task_id);
    },
    subtasksOf: async (taskIds) => {
      const subtasks = await store.query<Task>('tasks', Q.where('parent_task_id', Q.oneOf([...taskIds])));
      return subtasks.map(({ id }) => id);
    },
    subtasksIn: async (milestoneId, taskIds) => {
      const subtasks = await store.query<Task>(
        'tasks',
        Q.where('parent_task_id', Q.oneOf([...taskIds])),
        Q.where('milestone_id', milestoneId),
      );
      return subtasks.map(({ id }) => id);
    },
  };
}

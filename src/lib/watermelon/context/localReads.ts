/** What the Context Service reads, answered from the local database. */

import type { KnowledgeScope } from '@/core/contextService';
import type {
  Activity,
  BestPractice,
  Milestone,
  Pattern,
  Project,
  Task,
  TaskContext,
  TaskDependency,
  Workflow,
  Workspace,
} from '@/core/entities';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/core/vocabulary';
import { Q } from '../models/watermelondb';
import { byName, bySortOrder, byTitle, type LocalStore } from './localStore';

/** Activities in a context. */
const ACTIVITIES = 20;

/** Assembles the context of a task that is here; what is not here is named in `missing`. */
export async function assembleContext(store: LocalStore, task: Task): Promise<TaskContext> {
  const missing: TaskContext['missing'] = [];
  const expect = <T>(name: TaskContext['missing'][number], id: string | null, found: T | null): T | null => {
    if (found === null && id !== null) missing.push(name);
    return found;
  };
  const milestone = expect(
    'milestone',
    task.milestone_id,
    await store.find<Milestone>('milestones', task.milestone_id),
  );
  const projectId = milestone?.project_id ?? null;
  const workflowId = task.workflow_id ?? STANDARD_WORKFLOW_ID;
  const [project, workspace, parent, subtasks, dependencies, activities, workflow, patterns, practices] =
    await Promise.all([
      store.find<Project>('projects', projectId),
      store.find<Workspace>('workspaces', task.workspace_id),
      store.find<Task>('tasks', task.parent_task_id),
      store.query<Task>('tasks', Q.where('parent_task_id', task.id)),
      dependenciesOf(store, task.id),
      store.query<Activity>(
        'activity_feed',
        Q.where('task_id', task.id),
        Q.sortBy('created_at', Q.desc),
        Q.sortBy('id', Q.desc),
        Q.take(ACTIVITIES),
      ),
      store.find<Workflow>('workflows', workflowId),
      knowledge<Pattern>(store, 'patterns', task.workspace_id, projectId),
      knowledge<BestPractice>(store, 'best_practices', task.workspace_id, projectId),
    ]);
  if (!dependencies.complete) missing.push('dependencies');
  return {
    task,
    milestone,
    project: expect('project', projectId, project),
    workspace: expect('workspace', task.workspace_id, workspace),
    parent_task: expect('parent_task', task.parent_task_id, parent),
    subtasks: bySortOrder(subtasks),
    dependencies: byTitle(dependencies.tasks),
    activities,
    patterns,
    best_practices: practices,
    workflow: expect('workflow', workflowId, workflow),
    missing,
  };
}

async function dependenciesOf(store: LocalStore, taskId: string) {
  const links = await store.query<TaskDependency>('task_dependencies', Q.where('task_id', taskId));
  const ids = [...new Set(links.map((link) => link.depends_on_task_id))];
  if (ids.length === 0) return { tasks: [], complete: true };
  const tasks = await store.query<Task>('tasks', Q.where('id', Q.oneOf(ids)));
  return { tasks, complete: tasks.length === ids.length };
}

/** Global ones, those of the workspace, and those of the project. */
async function knowledge<T extends { name: string; id: string }>(
  store: LocalStore,
  table: 'patterns' | 'best_practices',
  workspaceId: string,
  projectId: string | null,
): Promise<T[]> {
  const projects = projectId === null ? [null] : [null, projectId];
  const found = await store.query<T & { project_id: string | null }>(
    table,
    Q.where('workspace_id', Q.oneOf([GLOBAL_SCOPE_ID, workspaceId])),
  );
  return byName(found.filter((item) => projects.includes(item.project_id)));
}

export async function listWorkspaces(store: LocalStore): Promise<Workspace[]> {
  return byName(await store.query<Workspace>('workspaces'));
}

export async function listProjects(store: LocalStore, workspaceId: string): Promise<Project[]> {
  return byName(await store.query<Project>('projects', Q.where('workspace_id', workspaceId)));
}

export async function listMilestones(store: LocalStore, projectId: string): Promise<Milestone[]> {
  return byName(await store.query<Milestone>('milestones', Q.where('project_id', projectId)));
}

export async function listTasks(store: LocalStore, milestoneId: string): Promise<Task[]> {
  return bySortOrder(await store.query<Task>('tasks', Q.where('milestone_id', milestoneId)));
}

export async function listWorkflows(store: LocalStore): Promise<Workflow[]> {
  return byName(await store.query<Workflow>('workflows'));
}

/** @returns the patterns or best practices of a scope; all that are here without one. */
export async function listKnowledge<T extends { name: string; id: string }>(
  store: LocalStore,
  table: 'patterns' | 'best_practices',
  scope: KnowledgeScope,
): Promise<T[]> {
  if (scope.project_id !== undefined) {
    const project = await store.find<Project>('projects', scope.project_id);
    return project ? knowledge<T>(store, table, project.workspace_id, project.id) : [];
  }
  if (scope.workspace_id === undefined) return byName(await store.query<T>(table));
  const scopes = [GLOBAL_SCOPE_ID, scope.workspace_id];
  return byName(await store.query<T>(table, Q.where('workspace_id', Q.oneOf(scopes))));
}

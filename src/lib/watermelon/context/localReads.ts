/** Reads of the Context Service from the local database. */

import { COMMENT_TYPES, type Comment, foldActivities, foldComments } from '@/domain/comments';
import type { FullLimits } from '@/domain/contextLimits';
import type { KnowledgeScope } from '@/domain/contextService';
import type {
  Milestone,
  Project,
  Task,
  TaskContext,
  Workflow,
  Workspace,
  WorkspaceMember,
} from '@/domain/entities';
import { REVIEW_TYPES, type Review, reviewOf } from '@/domain/reviews';
import { boundContext, countedContext } from '@/domain/taskContext';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { Q } from '../models/watermelondb';
import { partsFromRows } from './contextRows';
import { byDisplayName, byName, bySortOrder, type LocalStore } from './localStore';

/**
 * @returns the context of a task within limits, null where the task is not on this device; `missing` names the parts
 * that are not
 */
export async function readContext(
  store: LocalStore,
  taskId: string,
  limits: FullLimits,
): Promise<TaskContext | null> {
  const read = await partsFromRows(store, taskId, limits);
  if (read === null) return null;
  const { all, absent, isBounded, ...found } = read;
  const parts = { ...found, activities: foldActivities(found.activities) };
  const { task, milestone, project, workspace, parent_task, workflow } = parts;
  const missing: TaskContext['missing'] = [];
  if (milestone === null) missing.push('milestone');
  if (absent > 0) missing.push('dependencies');
  if (project === null && milestone !== null) missing.push('project');
  if (workspace === null) missing.push('workspace');
  if (parent_task === null && task.parent_task_id !== null) missing.push('parent_task');
  if (workflow === null) missing.push('workflow');
  return isBounded
    ? countedContext({ ...parts, missing }, all)
    : boundContext({ ...parts, missing }, all, limits);
}

/** The global items, those of the workspace, and those of the project. */
async function knowledge<T extends { name: string; id: string }>(
  store: LocalStore,
  table: 'patterns' | 'best_practices',
  workspaceId: string,
  projectId: string,
): Promise<T[]> {
  const found = await store.query<T>(
    table,
    Q.where('workspace_id', Q.oneOf([GLOBAL_SCOPE_ID, workspaceId])),
    Q.or(Q.where('project_id', null), Q.where('project_id', projectId)),
  );
  return byName(found);
}

/** @returns null where the task is not on this device, or has no request for review. */
export async function readReview(store: LocalStore, taskId: string): Promise<Review | null> {
  const task = await store.find<Task>('tasks', taskId);
  return task && reviewOf(task, await store.entries(taskId, REVIEW_TYPES));
}

export async function listComments(store: LocalStore, taskId: string): Promise<Comment[]> {
  return foldComments(await store.entries(taskId, COMMENT_TYPES));
}

export async function listWorkspaces(store: LocalStore): Promise<Workspace[]> {
  return byName(await store.query<Workspace>('workspaces'));
}

export async function listMembers(store: LocalStore, workspaceId: string): Promise<WorkspaceMember[]> {
  const members = await store.query<WorkspaceMember>(
    'workspace_members',
    Q.where('workspace_id', workspaceId),
  );
  return byDisplayName(members);
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

/** @returns the patterns or best practices of a scope; without one, all on this device. */
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

/**
 * The local-first Context Service: the functions of `@/lib/supabase/contextService`, answered by the local
 * database, and by Supabase for records that are not on this device. See `domain/contextService.ts`.
 */

import { concatMap, from, type Observable } from 'rxjs';
import type { ContextLimits } from '@/domain/contextLimits';
import type { ContextService } from '@/domain/contextService';
import type { Task, TaskContext } from '@/domain/entities';
import type { Inbox } from '@/domain/inbox';
import type { ObservedDeletion } from './context/deletions';
import type { LocalContextService } from './context/service';
import { currentDevice } from './device/current';

export { expectedOf } from '@/domain/writes/expected';
export type { ObservedDeletion } from './context/deletions';
export { createLocalContextService, type LocalContextService } from './context/service';

/** A function of the service of the current device. */
function local<Name extends Exclude<keyof LocalContextService, `observe${string}`>>(
  name: Name,
): LocalContextService[Name] {
  const call = async (...args: unknown[]) => {
    const { contextService } = await currentDevice();
    return (contextService[name] as (...given: unknown[]) => unknown)(...args);
  };
  return call as LocalContextService[Name];
}

/** @returns the task from the local database alone, or null. */
export const getLocalTask: (taskId: string) => Promise<Task | null> = local('getLocalTask');
/** @returns the context from the server; null where it has none or cannot be reached. */
export const getRemoteTaskContext: (taskId: string, limits?: ContextLimits) => Promise<TaskContext | null> =
  local('getRemoteTaskContext');

export const getTaskContext: ContextService['getTaskContext'] = local('getTaskContext');
export const addTaskActivity: ContextService['addTaskActivity'] = local('addTaskActivity');
export const updateTaskStage: ContextService['updateTaskStage'] = local('updateTaskStage');
export const orderTasks: ContextService['orderTasks'] = local('orderTasks');
export const createTask: ContextService['createTask'] = local('createTask');
export const updateTask: ContextService['updateTask'] = local('updateTask');
export const deleteTask: ContextService['deleteTask'] = local('deleteTask');
export const addTaskDependency: ContextService['addTaskDependency'] = local('addTaskDependency');
export const removeTaskDependency: ContextService['removeTaskDependency'] = local('removeTaskDependency');
export const getWorkspaces: ContextService['getWorkspaces'] = local('getWorkspaces');
export const getProjects: ContextService['getProjects'] = local('getProjects');
export const getMilestones: ContextService['getMilestones'] = local('getMilestones');
export const getTasks: ContextService['getTasks'] = local('getTasks');
export const createWorkspace: ContextService['createWorkspace'] = local('createWorkspace');
export const updateWorkspace: ContextService['updateWorkspace'] = local('updateWorkspace');
export const deleteWorkspace: ContextService['deleteWorkspace'] = local('deleteWorkspace');
export const createProject: ContextService['createProject'] = local('createProject');
export const updateProject: ContextService['updateProject'] = local('updateProject');
export const deleteProject: ContextService['deleteProject'] = local('deleteProject');
export const createMilestone: ContextService['createMilestone'] = local('createMilestone');
export const updateMilestone: ContextService['updateMilestone'] = local('updateMilestone');
export const deleteMilestone: ContextService['deleteMilestone'] = local('deleteMilestone');
export const createPattern: ContextService['createPattern'] = local('createPattern');
export const updatePattern: ContextService['updatePattern'] = local('updatePattern');
export const deletePattern: ContextService['deletePattern'] = local('deletePattern');
export const createBestPractice: ContextService['createBestPractice'] = local('createBestPractice');
export const updateBestPractice: ContextService['updateBestPractice'] = local('updateBestPractice');
export const deleteBestPractice: ContextService['deleteBestPractice'] = local('deleteBestPractice');
export const getWorkflows: ContextService['getWorkflows'] = local('getWorkflows');
export const getWorkflowById: ContextService['getWorkflowById'] = local('getWorkflowById');
export const getPatterns: ContextService['getPatterns'] = local('getPatterns');
export const getBestPractices: ContextService['getBestPractices'] = local('getBestPractices');

export const getMembers: ContextService['getMembers'] = local('getMembers');
export const getFormerMembers: ContextService['getFormerMembers'] = local('getFormerMembers');
export const updateMemberRole: ContextService['updateMemberRole'] = local('updateMemberRole');
export const removeMember: ContextService['removeMember'] = local('removeMember');
export const getDeletions: ContextService['getDeletions'] = local('getDeletions');
export const restoreDeletion: ContextService['restoreDeletion'] = local('restoreDeletion');

export const claimTask: ContextService['claimTask'] = local('claimTask');
export const renewClaim: ContextService['renewClaim'] = local('renewClaim');
export const releaseClaim: ContextService['releaseClaim'] = local('releaseClaim');
export const getNextTask: ContextService['getNextTask'] = local('getNextTask');
export const getReadiness: ContextService['getReadiness'] = local('getReadiness');
export const finishTask: ContextService['finishTask'] = local('finishTask');
export const requestReview: ContextService['requestReview'] = local('requestReview');
export const approveReview: ContextService['approveReview'] = local('approveReview');
export const returnReview: ContextService['returnReview'] = local('returnReview');
export const getReview: ContextService['getReview'] = local('getReview');
export const addComment: ContextService['addComment'] = local('addComment');
export const editComment: ContextService['editComment'] = local('editComment');
export const deleteComment: ContextService['deleteComment'] = local('deleteComment');
export const askQuestion: ContextService['askQuestion'] = local('askQuestion');
export const answerQuestion: ContextService['answerQuestion'] = local('answerQuestion');
export const getComments: ContextService['getComments'] = local('getComments');

/** The local context within limits, now and whenever it changes. */
export function observeTaskContext(taskId: string, limits?: ContextLimits): Observable<TaskContext | null> {
  return from(currentDevice()).pipe(
    concatMap((device) => device.contextService.observeTaskContext(taskId, limits)),
  );
}

/** The deletions of a workspace that are not restored or are being restored, now and whenever they change. */
export function observeDeletions(workspaceId: string): Observable<ObservedDeletion[]> {
  return from(currentDevice()).pipe(
    concatMap((device) => device.contextService.observeDeletions(workspaceId)),
  );
}
/** What waits for the user, as far as this device knows, now and whenever it changes. */
export function observeInbox(): Observable<Inbox> {
  return from(currentDevice()).pipe(concatMap((device) => device.contextService.observeInbox()));
}
export const createAgent: ContextService['createAgent'] = local('createAgent');
export const revokeAgent: ContextService['revokeAgent'] = local('revokeAgent');
export const pauseAgent: ContextService['pauseAgent'] = local('pauseAgent');
export const findTask: ContextService['findTask'] = local('findTask');
export const getInbox: ContextService['getInbox'] = local('getInbox');

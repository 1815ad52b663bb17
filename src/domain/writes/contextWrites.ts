/** The writing half of the Context Service: which request each of its functions makes. */

import type { ContextService } from '../contextService';
import { requestMemberDelete, requestRoleUpdate } from './members';
import type { PlanContext, Planned, Requested } from './plan';
import {
  planWorkspaceInsert,
  requestInsertInWorkspace,
  requestMilestoneInsert,
  requestRecordDelete,
  requestRecordUpdate,
  requestRestore,
} from './records';
import { batchIds, requestTaskBatch } from './taskBatch';
import { requestDependencyDelete, requestDependencyInsert } from './taskDependencies';
import {
  requestActivityInsert,
  requestStageUpdate,
  requestTaskDelete,
  requestTaskInsert,
  requestTaskUpdate,
} from './tasks';

export type ContextWrites = Pick<
  ContextService,
  | 'addTaskActivity'
  | 'createTasks'
  | 'updateTaskStage'
  | 'addTaskDependency'
  | 'removeTaskDependency'
  | 'restoreDeletion'
  | 'updateMemberRole'
  | 'removeMember'
  | `${'create' | 'update' | 'delete'}${'Workspace' | 'Project' | 'Milestone' | 'Task' | 'Pattern' | 'BestPractice'}`
>;

/** The port to a store that writes plans. Promises reject with the error of a failed request or plan. */
export interface PlanWriter {
  /**
   * Finds the target, asks for the plan, writes it and resolves to its answer.
   * @param onRemote the same write on the remote service, for targets that are not in the local store.
   */
  writeOn<T>(request: Requested, onRemote: (remote: ContextService) => Promise<T>): Promise<T>;
  /** Writes a record that has no target. */
  writeNew<T>(plan: (context: PlanContext) => Planned): Promise<T>;
}

export function contextWrites(writer: PlanWriter): ContextWrites {
  return {
    ...taskWrites(writer),
    ...recordWrites(writer),
    ...knowledgeWrites(writer),
    ...memberWrites(writer),
  };
}

function memberWrites({ writeOn }: PlanWriter): Pick<ContextWrites, 'updateMemberRole' | 'removeMember'> {
  return {
    updateMemberRole: (memberId, role, options) =>
      writeOn(requestRoleUpdate(memberId, role, options), (remote) =>
        remote.updateMemberRole(memberId, role, options),
      ),
    removeMember: (memberId) =>
      writeOn(requestMemberDelete(memberId), (remote) => remote.removeMember(memberId)),
  };
}

type TaskWrites = Pick<ContextWrites, Extract<keyof ContextWrites, `${string}Task${string}`>>;

function taskWrites({ writeOn }: PlanWriter): TaskWrites {
  return {
    addTaskActivity: (taskId, type, details = {}) =>
      writeOn(requestActivityInsert(taskId, type, details), (remote) =>
        remote.addTaskActivity(taskId, type, details),
      ),
    updateTaskStage: (taskId, stage, actorId, options) =>
      writeOn(requestStageUpdate(taskId, stage, options), (remote) =>
        remote.updateTaskStage(taskId, stage, actorId, options),
      ),
    createTasks: async (milestoneId, batch) => {
      await writeOn(requestTaskBatch(milestoneId, batch), (remote) => remote.createTasks(milestoneId, batch));
      return batchIds(milestoneId, batch);
    },
    createTask: (data) => writeOn(requestTaskInsert(data), (remote) => remote.createTask(data)),
    updateTask: (id, changes, options) =>
      writeOn(requestTaskUpdate(id, changes, options), (remote) => remote.updateTask(id, changes, options)),
    deleteTask: (id) => writeOn(requestTaskDelete(id), (remote) => remote.deleteTask(id)),
    addTaskDependency: (taskId, dependsOnId) =>
      writeOn(requestDependencyInsert(taskId, dependsOnId), (remote) =>
        remote.addTaskDependency(taskId, dependsOnId),
      ),
    removeTaskDependency: (taskId, dependsOnId) =>
      writeOn(requestDependencyDelete(taskId, dependsOnId), (remote) =>
        remote.removeTaskDependency(taskId, dependsOnId),
      ),
  };
}

type RecordWrites = Pick<
  ContextWrites,
  Extract<keyof ContextWrites, `${string}${'Workspace' | 'Project' | 'Milestone'}`> | 'restoreDeletion'
>;

function recordWrites({ writeOn, writeNew }: PlanWriter): RecordWrites {
  return {
    createWorkspace: (data) => writeNew((context) => planWorkspaceInsert(data, context)),
    updateWorkspace: (id, changes, options) =>
      writeOn(requestRecordUpdate('workspaces', id, changes, options), (remote) =>
        remote.updateWorkspace(id, changes, options),
      ),
    deleteWorkspace: (id) =>
      writeOn(requestRecordDelete('workspaces', id), (remote) => remote.deleteWorkspace(id)),
    createProject: (data) =>
      writeOn(requestInsertInWorkspace('projects', data), (remote) => remote.createProject(data)),
    updateProject: (id, changes, options) =>
      writeOn(requestRecordUpdate('projects', id, changes, options), (remote) =>
        remote.updateProject(id, changes, options),
      ),
    deleteProject: (id) => writeOn(requestRecordDelete('projects', id), (remote) => remote.deleteProject(id)),
    createMilestone: (data) =>
      writeOn(requestMilestoneInsert(data), (remote) => remote.createMilestone(data)),
    updateMilestone: (id, changes, options) =>
      writeOn(requestRecordUpdate('milestones', id, changes, options), (remote) =>
        remote.updateMilestone(id, changes, options),
      ),
    deleteMilestone: (id) =>
      writeOn(requestRecordDelete('milestones', id), (remote) => remote.deleteMilestone(id)),
    restoreDeletion: (id) => writeOn(requestRestore(id), (remote) => remote.restoreDeletion(id)),
  };
}

type KnowledgeWrites = Pick<
  ContextWrites,
  Extract<keyof ContextWrites, `${string}${'Pattern' | 'BestPractice'}`>
>;

function knowledgeWrites({ writeOn }: PlanWriter): KnowledgeWrites {
  return {
    createPattern: (data) =>
      writeOn(requestInsertInWorkspace('patterns', data), (remote) => remote.createPattern(data)),
    updatePattern: (id, changes, options) =>
      writeOn(requestRecordUpdate('patterns', id, changes, options), (remote) =>
        remote.updatePattern(id, changes, options),
      ),
    deletePattern: (id) => writeOn(requestRecordDelete('patterns', id), (remote) => remote.deletePattern(id)),
    createBestPractice: (data) =>
      writeOn(requestInsertInWorkspace('best_practices', data), (remote) => remote.createBestPractice(data)),
    updateBestPractice: (id, changes, options) =>
      writeOn(requestRecordUpdate('best_practices', id, changes, options), (remote) =>
        remote.updateBestPractice(id, changes, options),
      ),
    deleteBestPractice: (id) =>
      writeOn(requestRecordDelete('best_practices', id), (remote) => remote.deleteBestPractice(id)),
  };
}

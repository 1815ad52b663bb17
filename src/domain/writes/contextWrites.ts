/** The writing half of the Context Service: which request each of its functions makes. */

import type { CommentService } from '../comments';
import type { ContextService } from '../contextService';
import type { ReviewService } from '../reviews';
import {
  requestAnswer,
  requestComment,
  requestCommentDelete,
  requestCommentEdit,
  requestQuestion,
} from './comments';
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
import { requestApproval, requestReturn, requestReviewRequest } from './reviews';
import { batchIds, requestTaskBatch } from './taskBatch';
import { requestDependencyDelete, requestDependencyInsert } from './taskDependencies';
import { requestTaskOrder } from './taskOrder';
import {
  requestActivityInsert,
  requestStageUpdate,
  requestTaskDelete,
  requestTaskFinish,
  requestTaskInsert,
  requestTaskUpdate,
} from './tasks';

export type ContextWrites = Pick<
  ContextService,
  | 'addTaskActivity'
  | 'createTasks'
  | 'orderTasks'
  | 'updateTaskStage'
  | 'finishTask'
  | 'addTaskDependency'
  | 'removeTaskDependency'
  | 'restoreDeletion'
  | 'updateMemberRole'
  | 'removeMember'
  | `${'create' | 'update' | 'delete'}${'Workspace' | 'Project' | 'Milestone' | 'Task' | 'Pattern' | 'BestPractice'}`
> &
  Omit<ReviewService, 'getReview'> &
  Omit<CommentService, 'getComments'>;

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
    ...reviewWrites(writer),
    ...commentWrites(writer),
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

function reviewWrites({ writeOn }: PlanWriter): Omit<ReviewService, 'getReview'> {
  return {
    requestReview: (taskId, request) =>
      writeOn(requestReviewRequest(taskId, request), (remote) => remote.requestReview(taskId, request)),
    approveReview: (taskId, requestId, options) =>
      writeOn(requestApproval(taskId, requestId, options), (remote) =>
        remote.approveReview(taskId, requestId, options),
      ),
    returnReview: (taskId, requestId, reason, options) =>
      writeOn(requestReturn(taskId, requestId, reason, options), (remote) =>
        remote.returnReview(taskId, requestId, reason, options),
      ),
  };
}

function commentWrites({ writeOn }: PlanWriter): Omit<CommentService, 'getComments'> {
  return {
    addComment: (taskId, text, options) =>
      writeOn(requestComment(taskId, text, options), (remote) => remote.addComment(taskId, text, options)),
    editComment: (commentId, text, options) =>
      writeOn(requestCommentEdit(commentId, text, options), (remote) =>
        remote.editComment(commentId, text, options),
      ),
    deleteComment: (commentId) =>
      writeOn(requestCommentDelete(commentId), (remote) => remote.deleteComment(commentId)),
    askQuestion: (taskId, text, options) =>
      writeOn(requestQuestion(taskId, text, options), (remote) => remote.askQuestion(taskId, text, options)),
    answerQuestion: (questionId, text) =>
      writeOn(requestAnswer(questionId, text), (remote) => remote.answerQuestion(questionId, text)),
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
    orderTasks: async (places) => {
      await writeOn(requestTaskOrder(places), (remote) => remote.orderTasks(places));
    },
    createTask: (data) => writeOn(requestTaskInsert(data), (remote) => remote.createTask(data)),
    updateTask: (id, changes, options) =>
      writeOn(requestTaskUpdate(id, changes, options), (remote) => remote.updateTask(id, changes, options)),
    finishTask: (taskId, options) =>
      writeOn(requestTaskFinish(taskId, options), (remote) => remote.finishTask(taskId, options)),
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

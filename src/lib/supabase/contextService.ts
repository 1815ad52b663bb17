/**
 * The remote Context Service: the interface of the local one, answered by the server. Writes follow the
 * same plans (`domain/writes`) and go through `sync_push` together with the activities they imply.
 */

import { ConvoyError, detailOf, orThrow } from '@/core/errors';
import type { SyncTransport } from '@/core/protocol';
import { isUuid } from '@/core/text';
import { COMMENT_TYPES, foldComments } from '@/domain/comments';
import { checkLimits } from '@/domain/contextLimits';
import type { ContextService, KnowledgeScope } from '@/domain/contextService';
import { REVIEW_TYPES, reviewOf } from '@/domain/reviews';
import { contextWrites } from '@/domain/writes/contextWrites';
import type { AgentSignIn } from './agentSignIn';
import { supabaseAgents } from './agents';
import type { ConvoyClient } from './client';
import { currentClient } from './currentClient';
import { supabaseKeys } from './findTask';
import { remoteInbox } from './inbox';
import { remotePlanWriter } from './planWriter';
import { RemoteRecords } from './records';
import { RemoteWriter, type WriterOptions } from './remoteWriter';
import { SupabaseTransport } from './transport';
import { remoteWork } from './work';

export { expectedOf } from '@/domain/writes/expected';
export { useSupabaseClient } from './currentClient';

export interface RemoteServiceOptions extends WriterOptions {
  client: ConvoyClient;
  /** How long no byte of an answer may come, ms (`RpcOptions`). Default: 15,000. */
  timeoutMs?: number;
  /** The transport of writes. Default: `sync_push` on the client. */
  transport?: SyncTransport;
  /** Signs a new agent in, to see whether it can. Default: on the client's server. */
  agentSignIn?: AgentSignIn;
}

/** No record has this id. */
const NOTHING = '00000000-0000-0000-0000-000000000000';

/**
 * @returns a Context Service that answers from Supabase, as the user signed in on the client. It writes as
 * a device of its own, one write after the other.
 */
export function createRemoteContextService({
  client,
  timeoutMs = 15_000,
  transport = new SupabaseTransport(client, { timeoutMs }),
  agentSignIn,
  ...options
}: RemoteServiceOptions): ContextService {
  const records = new RemoteRecords(client, timeoutMs);
  const writer = new RemoteWriter(client, transport, options);
  const planWriter = remotePlanWriter({
    find: (table, id) => records.find(table, id),
    dependency: (taskId, dependsOnId) => records.dependency(taskId, dependsOnId),
    entries: (taskId, types) => records.entries(taskId, types),
    isMember: async (workspace_id, userId) => {
      const members = await records.many('workspace_members', 'get_members', { workspace_id });
      return members.some(({ user_id }) => user_id === userId);
    },
    write: (changes) => writer.write(changes),
    now: () => new Date().toISOString(),
    userId: () => writer.userId(),
  });
  return guarded({
    ...reads(records),
    ...contextWrites(planWriter),
    ...remoteWork(records, () => writer.userId()),
    ...supabaseAgents(client, { timeoutMs, ...(agentSignIn && { signIn: agentSignIn }) }),
    ...supabaseKeys(client, timeoutMs),
    getInbox: async () => remoteInbox(records, await writer.userId()),
  });
}

type Reads = Pick<
  ContextService,
  | 'getTaskContext'
  | 'getWorkspaces'
  | 'getProjects'
  | 'getMilestones'
  | 'getTasks'
  | 'getWorkflows'
  | 'getWorkflowById'
  | 'getPatterns'
  | 'getBestPractices'
  | 'getDeletions'
  | 'getMembers'
  | 'getFormerMembers'
  | 'getReview'
  | 'getComments'
>;

/** An id that is no UUID names no record of the server: null, or an empty list. */
function reads(records: RemoteRecords): Reads {
  return {
    getTaskContext: async (taskId, given) => {
      const limits = orThrow(checkLimits(given));
      return isUuid(taskId) ? records.context(taskId, limits) : null;
    },
    getWorkspaces: () => records.many('workspaces', 'get_workspaces', {}),
    getProjects: async (workspace_id) =>
      isUuid(workspace_id) ? records.many('projects', 'get_projects', { workspace_id }) : [],
    getMilestones: async (project_id) =>
      isUuid(project_id) ? records.many('milestones', 'get_milestones', { project_id }) : [],
    getTasks: async (milestone_id) =>
      isUuid(milestone_id) ? records.many('tasks', 'get_tasks', { milestone_id }) : [],
    getDeletions: async (workspace_id) =>
      isUuid(workspace_id) ? records.many('deletions', 'get_deletions', { workspace_id }) : [],
    getMembers: async (workspace_id) =>
      isUuid(workspace_id) ? records.many('workspace_members', 'get_members', { workspace_id }) : [],
    getFormerMembers: async (workspace_id) =>
      isUuid(workspace_id) ? records.many('workspace_members', 'get_former_members', { workspace_id }) : [],
    getReview: async (taskId) => {
      const task = await records.find('tasks', taskId);
      return task && reviewOf(task, await records.entries(taskId, REVIEW_TYPES));
    },
    getComments: async (taskId) =>
      isUuid(taskId) ? foldComments(await records.entries(taskId, COMMENT_TYPES)) : [],
    getWorkflows: () => records.many('workflows', 'get_workflows', {}),
    getWorkflowById: async (workflow_id) =>
      isUuid(workflow_id) ? records.one('workflows', 'get_workflow', { workflow_id }) : null,
    getPatterns: async (scope) => records.many('patterns', 'get_patterns', knowledge(scope)),
    getBestPractices: async (scope) => records.many('best_practices', 'get_best_practices', knowledge(scope)),
  };
}

/** An argument that is left out means all, so an id that is no UUID is sent as one that no record has. */
function knowledge({ workspace_id, project_id }: KnowledgeScope = {}) {
  const id = (given: string) => (isUuid(given) ? given : NOTHING);
  return {
    ...(workspace_id !== undefined && { workspace_id: id(workspace_id) }),
    ...(project_id !== undefined && { project_id: id(project_id) }),
  };
}

/** Makes a `ConvoyError` with the code `unexpected` of any other error, which is a bug. */
function guarded<T extends object>(service: T): T {
  const wrapped = Object.entries(service).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (error) {
        throw error instanceof ConvoyError ? error : new ConvoyError(detailOf(error));
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}

// The service of the current client ---------------------------------------------------------------

const services = new WeakMap<ConvoyClient, ContextService>();

function current(): ContextService {
  const client = currentClient();
  if (!client) {
    throw new ConvoyError({
      kind: 'unavailable',
      code: 'unavailable',
      message: 'No Supabase client is set. Call useSupabaseClient(client) before using this module.',
      causes: [],
    });
  }
  let service = services.get(client);
  if (!service) {
    service = createRemoteContextService({ client });
    services.set(client, service);
  }
  return service;
}

/** A method of the current client's service, which is looked up at each call. */
function bound<Name extends keyof ContextService>(name: Name): ContextService[Name] {
  const call = async (...args: unknown[]) => (current()[name] as (...args: unknown[]) => unknown)(...args);
  return call as unknown as ContextService[Name];
}

export const getTaskContext = bound('getTaskContext');
export const addTaskActivity = bound('addTaskActivity');
export const updateTaskStage = bound('updateTaskStage');
export const orderTasks = bound('orderTasks');
export const createTask = bound('createTask');
export const updateTask = bound('updateTask');
export const deleteTask = bound('deleteTask');
export const addTaskDependency = bound('addTaskDependency');
export const removeTaskDependency = bound('removeTaskDependency');
export const getWorkspaces = bound('getWorkspaces');
export const getProjects = bound('getProjects');
export const getMilestones = bound('getMilestones');
export const getTasks = bound('getTasks');
export const createWorkspace = bound('createWorkspace');
export const updateWorkspace = bound('updateWorkspace');
export const deleteWorkspace = bound('deleteWorkspace');
export const createProject = bound('createProject');
export const updateProject = bound('updateProject');
export const deleteProject = bound('deleteProject');
export const createMilestone = bound('createMilestone');
export const updateMilestone = bound('updateMilestone');
export const deleteMilestone = bound('deleteMilestone');
export const createPattern = bound('createPattern');
export const updatePattern = bound('updatePattern');
export const deletePattern = bound('deletePattern');
export const createBestPractice = bound('createBestPractice');
export const updateBestPractice = bound('updateBestPractice');
export const deleteBestPractice = bound('deleteBestPractice');
export const getWorkflows = bound('getWorkflows');
export const getWorkflowById = bound('getWorkflowById');
export const getPatterns = bound('getPatterns');
export const getBestPractices = bound('getBestPractices');
export const getMembers = bound('getMembers');
export const getFormerMembers = bound('getFormerMembers');
export const updateMemberRole = bound('updateMemberRole');
export const removeMember = bound('removeMember');
export const getDeletions = bound('getDeletions');
export const restoreDeletion = bound('restoreDeletion');

export const claimTask = bound('claimTask');
export const renewClaim = bound('renewClaim');
export const releaseClaim = bound('releaseClaim');
export const getNextTask = bound('getNextTask');
export const getReadiness = bound('getReadiness');
export const finishTask = bound('finishTask');
export const createAgent = bound('createAgent');
export const revokeAgent = bound('revokeAgent');
export const pauseAgent = bound('pauseAgent');
export const findTask = bound('findTask');
export const requestReview = bound('requestReview');
export const approveReview = bound('approveReview');
export const returnReview = bound('returnReview');
export const getReview = bound('getReview');
export const addComment = bound('addComment');
export const editComment = bound('editComment');
export const deleteComment = bound('deleteComment');
export const askQuestion = bound('askQuestion');
export const answerQuestion = bound('answerQuestion');
export const getComments = bound('getComments');
export const getInbox = bound('getInbox');

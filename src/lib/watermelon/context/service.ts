/** The local-first Context Service of one device. */

import { defer, type Observable } from 'rxjs';
import { orThrow } from '@/core/errors';
import { canonicalId } from '@/core/text';
import { type ContextLimits, checkLimits, type FullLimits } from '@/domain/contextLimits';
import type { ContextService } from '@/domain/contextService';
import type { BestPractice, Pattern, Task, TaskContext, Workflow } from '@/domain/entities';
import type { Inbox } from '@/domain/inbox';
import type { SyncedTable } from '@/domain/schema';
import { SYNCED_TABLES } from '@/domain/schema';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { contextWrites } from '@/domain/writes/contextWrites';
import { observeRead } from '../observation/observeRead';
import { localAgents } from './agents';
import { listDeletions, type ObservedDeletion, observeDeletions, restoreDeletion } from './deletions';
import { localKeys } from './findTask';
import { formerMembers } from './formerMembers';
import { observeInbox, readInbox } from './inbox';
import { type LocalFirst, readFirst } from './localFirst';
import {
  listComments,
  listKnowledge,
  listMembers,
  listMilestones,
  listProjects,
  listTasks,
  listWorkflows,
  listWorkspaces,
  readContext,
  readReview,
} from './localReads';
import { localWork } from './localWork';
import { localWriter } from './localWriter';
import { MissingParts } from './missingParts';
import type { ProvisionalClaim, ProvisionalClaims } from './provisionalClaims';

export interface LocalContextService extends ContextService {
  /** @returns the task from the local database alone, or null. */
  getLocalTask(taskId: string): Promise<Task | null>;
  /** @returns the context from the server; null where it has none or cannot be reached. */
  getRemoteTaskContext(taskId: string, limits?: ContextLimits): Promise<TaskContext | null>;
  /** The local context within limits, now and whenever it changes. Fails as `getTaskContext` does. */
  observeTaskContext(taskId: string, limits?: ContextLimits): Observable<TaskContext | null>;
  /** The deletions of a workspace that are not restored or are being restored, newest first; now and whenever they change. */
  observeDeletions(workspaceId: string): Observable<ObservedDeletion[]>;
  /** What waits for the user, as far as this device knows, now and whenever it changes. */
  observeInbox(): Observable<Inbox>;
  /** Asks the server about the claims that wait for it (C10), as each sync does that reaches it. @returns whether there were any */
  settleClaims(signal?: AbortSignal): Promise<boolean>;
  /** The claims of this device that the server has not confirmed, lost ones too; now and whenever they change. */
  observeClaims(): Observable<readonly ProvisionalClaim[]>;
  /** Dismisses one that was lost or refused. */
  dismissClaim(taskId: string, claimId: string): Promise<void>;
}

/** @param claims those that were made without the server */
export function createLocalContextService(local: LocalFirst, claims: ProvisionalClaims): LocalContextService {
  const { store } = local;
  const writes = contextWrites(localWriter(local));
  const missingParts = new MissingParts(local);
  /** Once the global scope has been pulled, lists of this device are complete. */
  const synced = () => store.database.seenRevision(GLOBAL_SCOPE_ID) > 0;
  const here = (table: SyncedTable, id: string) => async (list: unknown[]) =>
    list.length > 0 || (await store.record(table, id)) !== null || (await store.isDeleted(table, id));
  // A text that is no id becomes '', the id of no record.
  const localId = (id: string) => store.resolve(canonicalId(id) ?? '');

  const getLocalTask = async (taskId: string) => store.find<Task>('tasks', localId(taskId));
  const getRemoteTaskContext = async (taskId: string, limits?: ContextLimits) =>
    local.remote && local.isOnline() ? local.remote.getTaskContext(taskId, limits) : null;

  const localContext = (taskId: string, limits: FullLimits) => readContext(store, localId(taskId), limits);

  return {
    ...writes,
    ...localWork(local, claims),
    observeClaims: () => claims.observe(),
    dismissClaim: (taskId, claimId) => claims.forget({ task_id: localId(taskId), claim_id: claimId }),
    ...localAgents(local),
    ...localKeys(local),
    getLocalTask,
    getRemoteTaskContext,

    async getTaskContext(taskId, given) {
      const limits = orThrow(checkLimits(given));
      const context = await readFirst(
        local,
        () => localContext(taskId, limits),
        async (found) => found !== null || store.isDeleted('tasks', localId(taskId)),
        (remote) => remote.getTaskContext(taskId, limits),
      );
      return context && missingParts.complete(context, limits);
    },

    observeTaskContext: (taskId, given) =>
      defer(() => {
        const limits = orThrow(checkLimits(given));
        return observeRead(store.database, SYNCED_TABLES, () => localContext(taskId, limits));
      }),

    getWorkspaces: () =>
      readFirst(
        local,
        () => listWorkspaces(store),
        synced,
        (remote) => remote.getWorkspaces(),
      ),
    async getProjects(workspaceId) {
      const id = localId(workspaceId);
      const read = () => listProjects(store, id);
      return readFirst(local, read, here('workspaces', id), (remote) => remote.getProjects(workspaceId));
    },
    async getMilestones(projectId) {
      const id = localId(projectId);
      const read = () => listMilestones(store, id);
      return readFirst(local, read, here('projects', id), (remote) => remote.getMilestones(projectId));
    },
    async getTasks(milestoneId) {
      const id = localId(milestoneId);
      const read = () => listTasks(store, id);
      return readFirst(local, read, here('milestones', id), (remote) => remote.getTasks(milestoneId));
    },
    async getMembers(workspaceId) {
      const id = localId(workspaceId);
      const read = () => listMembers(store, id);
      return readFirst(local, read, here('workspaces', id), (remote) => remote.getMembers(workspaceId));
    },
    async getReview(taskId) {
      const id = localId(taskId);
      const read = () => readReview(store, id);
      const isHere = async () => (await store.find('tasks', id)) !== null || store.isDeleted('tasks', id);
      return readFirst(local, read, isHere, (remote) => remote.getReview(taskId));
    },
    async getComments(taskId) {
      const id = localId(taskId);
      const read = () => listComments(store, id);
      return readFirst(local, read, here('tasks', id), (remote) => remote.getComments(taskId));
    },
    getInbox: () =>
      readFirst(
        local,
        () => readInbox(local),
        synced,
        (remote) => remote.getInbox(),
      ),
    observeInbox: () => observeInbox(local),
    getFormerMembers: (workspaceId) => formerMembers(local, localId(workspaceId)),
    async getDeletions(workspaceId) {
      const id = localId(workspaceId);
      const read = () => listDeletions(local, id);
      return readFirst(local, read, here('workspaces', id), (remote) => remote.getDeletions(workspaceId));
    },
    restoreDeletion: (deletionId) => restoreDeletion(local, deletionId, writes.restoreDeletion),
    observeDeletions: (workspaceId) => observeDeletions(local, localId(workspaceId)),
    getWorkflows: () =>
      readFirst(
        local,
        () => listWorkflows(store),
        synced,
        (remote) => remote.getWorkflows(),
      ),
    async getWorkflowById(id) {
      const read = () => store.find<Workflow>('workflows', localId(id));
      return readFirst(
        local,
        read,
        (found) => found !== null,
        (remote) => remote.getWorkflowById(id),
      );
    },
    async getPatterns(scope = {}) {
      const read = () => listKnowledge<Pattern>(store, 'patterns', checkedScope(scope));
      return readFirst(local, read, synced, (remote) => remote.getPatterns(scope));
    },
    async getBestPractices(scope = {}) {
      const read = () => listKnowledge<BestPractice>(store, 'best_practices', checkedScope(scope));
      return readFirst(local, read, synced, (remote) => remote.getBestPractices(scope));
    },
  };

  function checkedScope(scope: Parameters<ContextService['getPatterns']>[0] = {}) {
    return {
      ...(scope.workspace_id !== undefined && { workspace_id: localId(scope.workspace_id) }),
      ...(scope.project_id !== undefined && { project_id: localId(scope.project_id) }),
    };
  }
}

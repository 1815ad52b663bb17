/**
 * The Context Service: one interface, two implementations, `lib/watermelon/contextService` (local
 * first) and `lib/supabase/contextService` (remote). One contract suite runs against both.
 *
 * Every promise rejects with a `ConvoyError` that carries a code, and with nothing else.
 * A record that does not exist, or may not be seen, is null for reads and `validation/not_found` for writes.
 * Bad input is `validation/*`. An update whose `expected` values are not those of the record is `conflict/stale`.
 * A write that the server's policies refuse is `rejected/*` on the remote
 * service; the local one rejects it where it knows the rule, otherwise it ends in the quarantine.
 * Of several faults the first is reported: ids, values, the record itself, records that columns name in
 * the order of the schema, rules about tasks, permissions.
 */

import type { Json } from '@/core/protocol';
import type { AgentService } from './agents';
import type { CommentService } from './comments';
import type { ContextLimits } from './contextLimits';
import type {
  Activity,
  BestPractice,
  Deletion,
  Milestone,
  Pattern,
  Project,
  Task,
  TaskContext,
  TaskDependency,
  Workflow,
  Workspace,
  WorkspaceMember,
} from './entities';
import type { InboxService } from './inbox';
import type { KeyService } from './keys';
import type { ReviewService } from './reviews';
import type { TaskBatchService } from './taskBatches';
import type { Role } from './vocabulary';
import type { WorkService } from './work';

type Text = string | null;

export interface WorkspaceInput {
  name: string;
  description?: Text;
}

export interface ProjectInput {
  workspace_id: string;
  name: string;
  description?: Text;
  overview?: Text;
  tech_stack?: Json;
  status?: Project['status'];
  /** What the keys of its tasks begin with: a letter, then letters and digits, at most 10. The server gives one where absent. */
  key?: Text;
}

export interface MilestoneInput {
  project_id: string;
  name: string;
  description?: Text;
  requirements?: Text;
  status?: Milestone['status'];
  target_date?: Text;
}

export interface TaskInput {
  milestone_id: string;
  title: string;
  parent_task_id?: Text;
  workflow_id?: Text;
  description?: Text;
  current_stage?: string;
  status?: Task['status'];
  priority?: Task['priority'];
  assignee_id?: Text;
  /** Where it stands in lists that are ordered by hand; absent: last (N10). */
  sort_order?: number;
}

/** Claims are no columns that a caller writes: `WorkService` has calls for them. Where a stage is given and no status, it follows (T1). */
export interface TaskChanges extends Partial<TaskInput> {
  completion_date?: Text;
}

export interface PatternInput {
  workspace_id: string;
  project_id?: Text;
  name: string;
  description?: Text;
  pattern_type?: string;
  content?: Json;
}

export interface BestPracticeInput {
  workspace_id: string;
  project_id?: Text;
  name: string;
  description?: Text;
  category?: string;
  content?: Json;
}

/** Options of an update, beside its values. */
export interface UpdateOptions<Values> {
  /**
   * Values that columns of the record, changed ones or others, have to have; what is left out may be anything. Where one is not,
   * nothing is written, and the promise rejects with `conflict/stale`, which carries the present values. Callers that hold
   * a copy of a record, agents above all, give what they have read (`expectedOf` picks it), so that they never write over
   * what they have not seen. A column that has its new value already is as expected.
   */
  expected?: Partial<Values>;
  /**
   * Of the local service: the check is made where the record is written, and not again on the server (U45), where what
   * others have changed meanwhile merges as with any edit. For a person who sees the record. Default false.
   */
  merges?: boolean;
}

/** Options of an update of a task. */
export interface TaskUpdateOptions extends UpdateOptions<TaskChanges> {
  /** Why a person moves the task past a human checkpoint without approving a request for review (V6). */
  reason?: Text;
}

/** Which patterns and best practices to read. Absent: all that the user may see. */
export interface KnowledgeScope {
  /** Those of the workspace and the global ones. */
  workspace_id?: string;
  /** Those of the project, of its workspace, and the global ones. */
  project_id?: string;
}

export interface ContextService
  extends WorkService,
    AgentService,
    KeyService,
    ReviewService,
    CommentService,
    TaskBatchService,
    InboxService {
  /**
   * Reads no more of the context than it may return; `left_out` says what that leaves out.
   * @param limits how much of each list, and of all; `DEFAULT_LIMITS` where absent. `validation/bad_value` and
   * `validation/unknown_field` refuse limits that are none.
   */
  getTaskContext(taskId: string, limits?: ContextLimits): Promise<TaskContext | null>;

  addTaskActivity(taskId: string, type: string, details?: Json, actorId?: string): Promise<Activity>;
  updateTaskStage(
    taskId: string,
    stage: string,
    actorId?: string,
    options?: TaskUpdateOptions,
  ): Promise<Task>;
  /**
   * Makes a task done. Only from the last stage of its workflow: `rejected/not_last_stage` otherwise. A checkpoint there holds
   * (R4).
   */
  finishTask(taskId: string, options?: UpdateOptions<TaskChanges>): Promise<Task>;
  createTask(data: TaskInput): Promise<Task>;
  updateTask(id: string, changes: TaskChanges, options?: TaskUpdateOptions): Promise<Task>;
  deleteTask(id: string): Promise<void>;
  addTaskDependency(taskId: string, dependsOnId: string): Promise<TaskDependency>;
  removeTaskDependency(taskId: string, dependsOnId: string): Promise<void>;

  /** By name, then id; tasks by sort_order, then id (subtasks included). */
  getWorkspaces(): Promise<Workspace[]>;
  getProjects(workspaceId: string): Promise<Project[]>;
  getMilestones(projectId: string): Promise<Milestone[]>;
  getTasks(milestoneId: string): Promise<Task[]>;

  createWorkspace(data: WorkspaceInput): Promise<Workspace>;
  updateWorkspace(
    id: string,
    changes: Partial<WorkspaceInput>,
    options?: UpdateOptions<WorkspaceInput>,
  ): Promise<Workspace>;
  deleteWorkspace(id: string): Promise<void>;
  createProject(data: ProjectInput): Promise<Project>;
  updateProject(
    id: string,
    changes: Partial<Omit<ProjectInput, 'workspace_id'>>,
    options?: UpdateOptions<Omit<ProjectInput, 'workspace_id'>>,
  ): Promise<Project>;
  deleteProject(id: string): Promise<void>;
  createMilestone(data: MilestoneInput): Promise<Milestone>;
  updateMilestone(
    id: string,
    changes: Partial<MilestoneInput>,
    options?: UpdateOptions<MilestoneInput>,
  ): Promise<Milestone>;
  deleteMilestone(id: string): Promise<void>;
  createPattern(data: PatternInput): Promise<Pattern>;
  updatePattern(
    id: string,
    changes: Partial<Omit<PatternInput, 'workspace_id'>>,
    options?: UpdateOptions<Omit<PatternInput, 'workspace_id'>>,
  ): Promise<Pattern>;
  deletePattern(id: string): Promise<void>;
  createBestPractice(data: BestPracticeInput): Promise<BestPractice>;
  updateBestPractice(
    id: string,
    changes: Partial<Omit<BestPracticeInput, 'workspace_id'>>,
    options?: UpdateOptions<Omit<BestPracticeInput, 'workspace_id'>>,
  ): Promise<BestPractice>;
  deleteBestPractice(id: string): Promise<void>;

  /** By display name, then id. */
  getMembers(workspaceId: string): Promise<WorkspaceMember[]>;
  /**
   * Those who were members and left or were removed, for their names beside what they wrote: by display name, then id. A
   * device has what the server said when it was last asked.
   */
  getFormerMembers(workspaceId: string): Promise<WorkspaceMember[]>;
  /** Members are added by invitation (`domain/invitations`). The last human owner stays one: `rejected/last_owner`. */
  updateMemberRole(
    memberId: string,
    role: Role,
    options?: UpdateOptions<Pick<WorkspaceMember, 'role'>>,
  ): Promise<WorkspaceMember>;
  /** Removes a member; with the caller's own membership, leaves the workspace, which every member may. */
  removeMember(memberId: string): Promise<void>;

  /** The deletions of a workspace that can be restored, newest first. */
  getDeletions(workspaceId: string): Promise<Deletion[]>;
  /**
   * Restores a deleted record with all that its deletion took along, and nothing else. Rejects with
   * `validation/not_found` for an unknown deletion, `rejected/nothing_to_restore` for one that is restored
   * already, and, on the server's word, `rejected/missing_parent`: its parent is deleted too.
   */
  restoreDeletion(deletionId: string): Promise<void>;

  /** The global ones and those of every workspace the user may see; by name, then id. */
  getWorkflows(): Promise<Workflow[]>;
  getWorkflowById(id: string): Promise<Workflow | null>;
  getPatterns(scope?: KnowledgeScope): Promise<Pattern[]>;
  getBestPractices(scope?: KnowledgeScope): Promise<BestPractice[]>;
}

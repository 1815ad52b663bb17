/** The plain objects the Context Service returns: snake_case, times as ISO 8601 strings in UTC. */

import type { Json } from '@/core/protocol';
import type { ContextPart, LeftOut } from './contextLimits';
import type { RestorableTable } from './schema';
import type {
  MemberKind,
  MilestoneStatus,
  ProjectStatus,
  Role,
  TaskPriority,
  TaskStatus,
} from './vocabulary';

interface Common {
  id: string;
  workspace_id: string;
  created_at: string;
  updated_at: string;
  last_modified_by: string | null;
}

export interface Workspace extends Common {
  name: string;
  description: string | null;
}

export interface WorkspaceMember extends Common {
  user_id: string;
  role: Role;
  display_name: string;
  kind: MemberKind;
  /** Of an agent: the person who made it. */
  made_by: string | null;
  /** Since when the agent is paused. */
  paused_at: string | null;
}

export interface WorkflowStage {
  name: string;
  description: string;
  order: number;
  is_checkpoint: boolean;
}

export interface Workflow extends Common {
  name: string;
  description: string | null;
  stages: WorkflowStage[];
}

export interface Project extends Common {
  name: string;
  description: string | null;
  overview: string | null;
  tech_stack: Json;
  status: ProjectStatus;
  /** The beginning of its tasks' keys; null until the server has given one. */
  key: string | null;
}

export interface Milestone extends Common {
  project_id: string;
  name: string;
  description: string | null;
  requirements: string | null;
  status: MilestoneStatus;
  target_date: string | null;
}

export interface Task extends Common {
  milestone_id: string;
  parent_task_id: string | null;
  workflow_id: string | null;
  title: string;
  description: string | null;
  current_stage: string;
  status: TaskStatus;
  priority: TaskPriority;
  assignee_id: string | null;
  sort_order: number;
  claimed_by: string | null;
  claimed_until: string | null;
  completion_date: string | null;
  claim_id: string | null;
  /** The short key, as in FIELD-42; null until the server has given one. */
  key: string | null;
}

export interface TaskDependency extends Common {
  task_id: string;
  depends_on_task_id: string;
}

export interface Activity extends Common {
  task_id: string | null;
  entity_type: string | null;
  entity_id: string | null;
  actor_id: string | null;
  activity_type: string;
  details: Json;
}

export interface Pattern extends Common {
  project_id: string | null;
  name: string;
  description: string | null;
  pattern_type: string;
  content: Json;
}

export interface BestPractice extends Common {
  project_id: string | null;
  name: string;
  description: string | null;
  category: string;
  content: Json;
}

/** One act of deleting a record, with all it took along; made by `last_modified_by` at `created_at`. */
export interface Deletion extends Common {
  entity_type: RestorableTable;
  entity_id: string;
  /** The record's name or title. */
  name: string;
  /** The number of records deleted (tasks, milestones, ...), the record itself included. */
  parts: number;
  restored_at: string | null;
}

/** The knowledge that an agent or a person needs to work on a task, within limits (`contextLimits.ts`). */
export interface TaskContext {
  task: Task;
  milestone: Milestone | null;
  project: Project | null;
  workspace: Workspace | null;
  parent_task: Task | null;
  /** By sort_order, then id. */
  subtasks: Task[];
  /** The tasks this one depends on, by title, then id. */
  dependencies: Task[];
  /** The latest, newest first (created_at, then id, descending). */
  activities: Activity[];
  /** Global, of the workspace, of the project; by name, then id. */
  patterns: Pattern[];
  best_practices: BestPractice[];
  workflow: Workflow | null;
  /** Parts that exist but are not on this device (not synced yet) and could not be fetched; empty when complete. */
  missing: ('milestone' | 'project' | 'workspace' | 'parent_task' | 'dependencies' | 'workflow')[];
  /** The lists that are not whole, since a limit was met; empty when all are. */
  left_out: Partial<Record<ContextPart, LeftOut>>;
}

/** The plain object that a record of each table is for callers. */
export interface EntityOf {
  workspaces: Workspace;
  workspace_members: WorkspaceMember;
  workflows: Workflow;
  projects: Project;
  milestones: Milestone;
  tasks: Task;
  task_dependencies: TaskDependency;
  activity_feed: Activity;
  patterns: Pattern;
  best_practices: BestPractice;
  deletions: Deletion;
}

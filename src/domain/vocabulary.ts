/**
 * The closed sets of values. `supabase/migrations` repeats them as check constraints; a contract test
 * compares the two.
 */

export const TASK_STATUSES = ['todo', 'in_progress', 'blocked', 'done', 'cancelled'] as const;
export const TASK_PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const;
export const MILESTONE_STATUSES = ['planned', 'active', 'completed', 'cancelled'] as const;
export const PROJECT_STATUSES = ['planning', 'active', 'paused', 'completed', 'archived'] as const;
export const ROLES = ['owner', 'editor', 'viewer', 'agent'] as const;
export const MEMBER_KINDS = ['human', 'agent'] as const;

export type TaskStatus = (typeof TASK_STATUSES)[number];
export type TaskPriority = (typeof TASK_PRIORITIES)[number];
export type MilestoneStatus = (typeof MILESTONE_STATUSES)[number];
export type ProjectStatus = (typeof PROJECT_STATUSES)[number];
export type Role = (typeof ROLES)[number];
/** A user's role in a scope: that of the member in a workspace; `reference` in the global scope. */
export type ScopeRole = Role | 'reference';
export type MemberKind = (typeof MEMBER_KINDS)[number];

export function isRole(name: string): name is Role {
  return (ROLES as readonly string[]).includes(name);
}

/** The scope of reference data: every user reads it, only the service role writes it (R3). */
export const GLOBAL_SCOPE_ID = '00000000-0000-7000-8000-000000000000';

/** The workflow of every task whose `workflow_id` is null (R5). It belongs to the global scope. */
export const STANDARD_WORKFLOW_ID = '00000000-0000-7000-8000-000000000001';

/** The stages of the standard workflow, in order. */
export const STANDARD_STAGES = [
  'PLAN',
  'PLAN_REVIEW',
  'IMPLEMENT',
  'VALIDATE',
  'CODE_REVIEW',
  'COMMIT',
] as const;

/** Activity types that Convoy itself writes; applications may add their own (`^[a-z][a-z0-9_]*$`, at most 64 characters). */
export const ACTIVITY_TYPES = [
  'comment',
  'task_created',
  'task_updated',
  'task_deleted',
  'stage_changed',
  'dependency_added',
  'dependency_removed',
  'conflict_settled',
  'comment_edited',
  'comment_deleted',
  'question',
  'answer',
  'review_requested',
  'review_approved',
  'review_returned',
  'agent_ended',
] as const;
export const ACTIVITY_TYPE_PATTERN = /^[a-z][a-z0-9_]*$/;

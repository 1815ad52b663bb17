/** Contexts for the tests of their text. */

import type { Author } from '@/domain/contextText/authors';
import type { Activity, BestPractice, Pattern, Task, TaskContext } from '@/domain/entities';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';

export const WORKSPACE = id(1);
export const ADA = id(11);
export const BOT = id(12);
const TIME = '2026-03-01T09:00:00.000Z';

export function id(n: number): string {
  return `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

const common = (n: number, by: string | null = ADA) => ({
  id: id(n),
  workspace_id: WORKSPACE,
  created_at: TIME,
  updated_at: TIME,
  last_modified_by: by,
});

export function taskOf(n: number, values: Partial<Task> = {}): Task {
  return {
    ...common(n),
    milestone_id: id(3),
    parent_task_id: null,
    workflow_id: null,
    title: `Task ${n}`,
    description: null,
    current_stage: 'PLAN',
    status: 'todo',
    priority: 'medium',
    assignee_id: null,
    sort_order: n,
    claimed_by: null,
    claimed_until: null,
    completion_date: null,
    claim_id: null,
    key: null,
    ...values,
  };
}

export function activityOf(
  n: number,
  activity_type: string,
  details: Activity['details'],
  by = ADA,
): Activity {
  const created_at = new Date(Date.parse(TIME) + n).toISOString();
  const about = { task_id: id(100), entity_type: null, entity_id: null };
  return { ...common(n, by), created_at, ...about, actor_id: by, activity_type, details };
}

export function patternOf(n: number, values: Partial<Pattern> = {}): Pattern {
  return {
    ...common(n),
    project_id: null,
    name: `Pattern ${n}`,
    description: null,
    pattern_type: 'general',
    content: {},
    ...values,
  };
}

export function practiceOf(n: number, values: Partial<BestPractice> = {}): BestPractice {
  return {
    ...common(n),
    project_id: null,
    name: `Practice ${n}`,
    description: null,
    category: 'general',
    content: {},
    ...values,
  };
}

export function contextOf(values: Partial<TaskContext> = {}): TaskContext {
  return {
    task: taskOf(100, { title: 'Sync in the field', description: 'Make it work without a network.' }),
    milestone: {
      ...common(3),
      project_id: id(2),
      name: 'Offline',
      description: null,
      requirements: 'Nothing is lost.',
      status: 'active',
      target_date: null,
    } as TaskContext['milestone'],
    project: {
      ...common(2),
      name: 'Field app',
      description: null,
      overview: 'An app for people outdoors.',
      tech_stack: [],
      status: 'active',
      key: null,
    } as unknown as TaskContext['project'],
    workspace: null,
    parent_task: null,
    subtasks: [],
    dependencies: [],
    activities: [],
    patterns: [],
    best_practices: [],
    workflow: {
      ...common(4),
      id: STANDARD_WORKFLOW_ID,
      workspace_id: GLOBAL_SCOPE_ID,
      name: 'Standard',
      description: null,
      stages: [
        { name: 'PLAN', description: '', order: 1, is_checkpoint: false },
        { name: 'PLAN_REVIEW', description: '', order: 2, is_checkpoint: true },
      ],
    },
    missing: [],
    left_out: {},
    ...values,
  };
}

export const MEMBERS: readonly Author[] = [
  { user_id: ADA, display_name: 'Ada', role: 'owner', kind: 'human' },
  { user_id: BOT, display_name: 'Bot', role: 'agent', kind: 'agent' },
];

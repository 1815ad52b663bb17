/** Labels for the values of the domain's vocabulary. */

import type { MilestoneStatus, ProjectStatus, Role, TaskPriority, TaskStatus } from '@/domain/vocabulary';

export const TASK_STATUS_LABELS: Record<TaskStatus, string> = {
  todo: 'To do',
  in_progress: 'In progress',
  blocked: 'Blocked',
  done: 'Done',
  cancelled: 'Cancelled',
};

export const PRIORITY_LABELS: Record<TaskPriority, string> = {
  low: 'Low',
  medium: 'Medium',
  high: 'High',
  urgent: 'Urgent',
};

export const MILESTONE_STATUS_LABELS: Record<MilestoneStatus, string> = {
  planned: 'Planned',
  active: 'Active',
  completed: 'Completed',
  cancelled: 'Cancelled',
};

export const PROJECT_STATUS_LABELS: Record<ProjectStatus, string> = {
  planning: 'Planning',
  active: 'Active',
  paused: 'Paused',
  completed: 'Completed',
  archived: 'Archived',
};

export const ROLE_LABELS: Record<Role, string> = {
  owner: 'Owner',
  editor: 'Editor',
  viewer: 'Viewer',
  agent: 'Agent',
};

/** @returns a name in capitals as people write it: `CODE_REVIEW` becomes "Code review". */
export function stageLabel(stage: string): string {
  const words = stage.replaceAll('_', ' ').trim();
  return words === words.toUpperCase() ? words.charAt(0) + words.slice(1).toLowerCase() : words;
}

/** @returns a column or type name as words: `parent_task_id` is "parent task". */
export function wordsOf(name: string): string {
  return name.replace(/_id$/, '').replaceAll('_', ' ');
}

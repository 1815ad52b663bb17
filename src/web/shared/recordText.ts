/** Stored values of records in words, for the quarantine, the archive and the ledger. Pure. */

import { columnsOf, type SyncedTable } from '@/domain/schema';
import type { StoredValue } from '@/domain/setAsideText';
import type { TaskPriority, TaskStatus } from '@/domain/vocabulary';
import { dayText } from '../ui/formValues';
import { PRIORITY_LABELS, stageLabel, TASK_STATUS_LABELS, wordsOf } from '../ui/labels';

const NOUNS: Record<SyncedTable, string> = {
  workspaces: 'workspace',
  workspace_members: 'membership',
  workflows: 'workflow',
  projects: 'project',
  milestones: 'milestone',
  tasks: 'task',
  task_dependencies: 'dependency',
  activity_feed: 'entry of the feed',
  patterns: 'pattern',
  best_practices: 'best practice',
  deletions: 'deletion',
};

export function tableNoun(table: SyncedTable): string {
  return NOUNS[table];
}

const RULES: Record<string, string> = {
  remote: 'the server’s value stands',
  later: 'the later edit wins',
  text: 'both texts were merged',
  open: 'nothing yet: it is for you to choose',
  person: 'a person decided',
};

/** The rule that chose the value of a column, in words. */
export function ruleText(by: string): string {
  return RULES[by] ?? wordsOf(by);
}

/** @param value as the local database stores it: times in ms, JSON as text. */
export function valueText(table: SyncedTable, column: string, value: StoredValue): string {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (column === 'current_stage') return stageLabel(String(value));
  if (table === 'tasks' && column === 'status')
    return TASK_STATUS_LABELS[value as TaskStatus] ?? String(value);
  if (column === 'priority') return PRIORITY_LABELS[value as TaskPriority] ?? String(value);
  const { kind, isDay } = columnsOf(table)[column] ?? {};
  if (kind === 'time') {
    const time = new Date(Number(value));
    return isDay ? dayText(time.toISOString()) : time.toLocaleString();
  }
  return String(value);
}

/** Texts from this length on, in characters, are compared word by word. */
const LONG = 60;

export function isLongText(value: unknown): boolean {
  return typeof value === 'string' && (value.length > LONG || value.includes('\n'));
}

/**
 * The synced tables, column by column: the WatermelonDB schema, the push payload, validation and the
 * merge policies derive from this description. Postgres is the source of the schema
 * (`supabase/migrations`); a contract test compares it with this file.
 */

import {
  MEMBER_KINDS,
  MILESTONE_STATUSES,
  PROJECT_STATUSES,
  ROLES,
  TASK_PRIORITIES,
  TASK_STATUSES,
} from './vocabulary';

/** Tables in dependency order: a parent stands before its children. */
export const SYNCED_TABLES = [
  'workspaces',
  'workspace_members',
  'workflows',
  'projects',
  'milestones',
  'tasks',
  'task_dependencies',
  'activity_feed',
  'patterns',
  'best_practices',
  'deletions',
] as const;

export type SyncedTable = (typeof SYNCED_TABLES)[number];

/** Tables whose deletions are recorded, so that they can be listed and restored (U23). */
export const RESTORABLE_TABLES = [
  'workspaces',
  'workflows',
  'projects',
  'milestones',
  'tasks',
  'patterns',
  'best_practices',
] as const satisfies readonly SyncedTable[];

export type RestorableTable = (typeof RESTORABLE_TABLES)[number];

/** The noun for a record of each table, in messages. */
export const RECORD_NOUNS: Readonly<Record<SyncedTable, string>> = {
  workspaces: 'workspace',
  workspace_members: 'member',
  workflows: 'workflow',
  projects: 'project',
  milestones: 'milestone',
  tasks: 'task',
  task_dependencies: 'dependency',
  activity_feed: 'activity',
  patterns: 'pattern',
  best_practices: 'best practice',
  deletions: 'deletion',
};

/** `text` is one line, `prose` is long text that merges three ways, `ref` holds the id of a record. */
export type ColumnKind = 'text' | 'prose' | 'json' | 'number' | 'time' | 'ref';

export interface Column {
  readonly kind: ColumnKind;
  /** May be null. Columns that are not optional must be given on insert unless they have a default. */
  readonly optional?: boolean;
  readonly default?: string | number | unknown[] | Record<string, never>;
  /** Longest value: characters (code points) of text, UTF-8 bytes of JSON. */
  readonly max?: number;
  readonly oneOf?: readonly string[];
  /** Of a text: what keys begin with, in capitals. */
  readonly isKey?: boolean;
  /** Of a time: it means a day, noon UTC of which is stored; to be read by its UTC date. */
  readonly isDay?: boolean;
  /** The table a `ref` points to. */
  readonly to?: SyncedTable | 'user';
  /** Deleting the row that the `ref` names deletes this one. */
  readonly parent?: boolean;
  /** Columns of one unit merge as one (U6). */
  readonly unit?: 'stage' | 'place';
  /** Set by the server; never pushed. */
  readonly serverSet?: boolean;
  /** Of one that the server sets: a device that makes the record again sends it (P13, P19). */
  readonly recreated?: boolean;
  /** Of one that the server sets: it ends with the record, and one that is made again has none (C6). */
  readonly endsWithRecord?: boolean;
  /** A device finds records by it. */
  readonly indexed?: boolean;
  /** The SCHEMA_VERSION that added it; 1 when absent. Every column of a new table has it. */
  readonly since?: number;
}

export type TableColumns = Readonly<Record<string, Column>>;

const NAME = 200;
const PROSE = 100_000;
const JSON_BYTES = 65_536;
/** Characters of a project's key. */
export const PROJECT_KEY_LENGTH = 10;

/** Columns beside the common ones (`id`, `workspace_id` and COMMON_COLUMNS). */
export const TABLE_COLUMNS = {
  workspaces: {
    name: { kind: 'text', max: NAME },
    description: { kind: 'prose', optional: true, max: PROSE },
  },
  workspace_members: {
    user_id: { kind: 'ref', to: 'user' },
    role: { kind: 'text', oneOf: ROLES },
    display_name: { kind: 'text', serverSet: true, default: '', max: NAME },
    kind: { kind: 'text', oneOf: MEMBER_KINDS, serverSet: true, default: 'human' },
    /** Of an agent: the person who made it. */
    made_by: { kind: 'ref', to: 'user', optional: true, serverSet: true, since: 2 },
    /** Since when the agent is to do nothing. */
    paused_at: { kind: 'time', optional: true, serverSet: true, since: 2 },
  },
  workflows: {
    name: { kind: 'text', max: NAME },
    description: { kind: 'prose', optional: true, max: PROSE },
    stages: { kind: 'json', max: JSON_BYTES },
  },
  projects: {
    name: { kind: 'text', max: NAME },
    description: { kind: 'prose', optional: true, max: PROSE },
    overview: { kind: 'prose', optional: true, max: PROSE },
    tech_stack: { kind: 'json', default: [], max: JSON_BYTES },
    status: { kind: 'text', oneOf: PROJECT_STATUSES, default: 'active' },
    /** What the keys of its tasks begin with. */
    key: { kind: 'text', optional: true, isKey: true, max: PROJECT_KEY_LENGTH, indexed: true, since: 2 },
  },
  milestones: {
    project_id: { kind: 'ref', to: 'projects', parent: true },
    name: { kind: 'text', max: NAME },
    description: { kind: 'prose', optional: true, max: PROSE },
    requirements: { kind: 'prose', optional: true, max: PROSE },
    status: { kind: 'text', oneOf: MILESTONE_STATUSES, default: 'planned' },
    target_date: { kind: 'time', isDay: true, optional: true },
  },
  tasks: {
    milestone_id: { kind: 'ref', to: 'milestones', parent: true, unit: 'place' },
    parent_task_id: { kind: 'ref', to: 'tasks', parent: true, optional: true, unit: 'place' },
    workflow_id: { kind: 'ref', to: 'workflows', optional: true },
    title: { kind: 'text', max: 500 },
    description: { kind: 'prose', optional: true, max: PROSE },
    current_stage: { kind: 'text', default: 'PLAN', max: 64, unit: 'stage', indexed: true },
    status: { kind: 'text', oneOf: TASK_STATUSES, default: 'todo', unit: 'stage' },
    priority: { kind: 'text', oneOf: TASK_PRIORITIES, default: 'medium' },
    assignee_id: { kind: 'ref', to: 'user', optional: true },
    sort_order: { kind: 'number', default: 0 },
    claimed_by: { kind: 'ref', to: 'user', optional: true, serverSet: true, endsWithRecord: true },
    claimed_until: { kind: 'time', optional: true, serverSet: true, endsWithRecord: true },
    completion_date: { kind: 'time', optional: true, unit: 'stage' },
    /** Which claim it is: two claims of one user have two. */
    claim_id: { kind: 'text', optional: true, serverSet: true, endsWithRecord: true, max: 64, since: 2 },
    /** The short key, as in FIELD-42. */
    key: { kind: 'text', optional: true, serverSet: true, recreated: true, max: 24, indexed: true, since: 2 },
  },
  task_dependencies: {
    task_id: { kind: 'ref', to: 'tasks', parent: true },
    depends_on_task_id: { kind: 'ref', to: 'tasks', parent: true },
  },
  activity_feed: {
    task_id: { kind: 'ref', to: 'tasks', parent: true, optional: true },
    entity_type: { kind: 'text', optional: true, max: 64 },
    entity_id: { kind: 'ref', optional: true },
    actor_id: { kind: 'ref', to: 'user', optional: true, serverSet: true },
    activity_type: { kind: 'text', max: 64, indexed: true },
    details: { kind: 'json', default: {}, max: JSON_BYTES },
  },
  patterns: {
    project_id: { kind: 'ref', to: 'projects', parent: true, optional: true },
    name: { kind: 'text', max: NAME },
    description: { kind: 'prose', optional: true, max: PROSE },
    pattern_type: { kind: 'text', default: 'general', max: 64 },
    content: { kind: 'json', default: {}, max: JSON_BYTES },
  },
  best_practices: {
    project_id: { kind: 'ref', to: 'projects', parent: true, optional: true },
    name: { kind: 'text', max: NAME },
    description: { kind: 'prose', optional: true, max: PROSE },
    category: { kind: 'text', default: 'general', max: 64 },
    content: { kind: 'json', default: {}, max: JSON_BYTES },
  },
  /** One row for each deletion; its id is the `deletion_id` of all it took along. Inserted by the server. */
  deletions: {
    entity_type: { kind: 'text', oneOf: RESTORABLE_TABLES, serverSet: true },
    entity_id: { kind: 'ref', serverSet: true },
    name: { kind: 'text', max: 500, serverSet: true },
    parts: { kind: 'number', serverSet: true },
    restored_at: { kind: 'time', optional: true },
  },
} as const satisfies Record<SyncedTable, TableColumns>;

/** Stamps: set by the server in every table (S5), and stored on devices. */
export const COMMON_COLUMNS = {
  revision: { kind: 'number', serverSet: true },
  created_at: { kind: 'time', serverSet: true },
  updated_at: { kind: 'time', serverSet: true },
  last_modified_by: { kind: 'ref', to: 'user', optional: true, serverSet: true },
} as const satisfies TableColumns;

/** Columns of Postgres that are not sent to devices: the server's own bookkeeping. */
export const SERVER_ONLY_COLUMNS = ['field_revisions', 'deleted_at', 'deletion_id'] as const;

/** @returns the columns of a table beside `id`, `workspace_id` and the common ones. */
export function columnsOf(table: SyncedTable): TableColumns {
  return TABLE_COLUMNS[table];
}

/** @returns the columns that schema versions after `version` added. */
export function columnsSince(table: SyncedTable, version: number): [name: string, column: Column][] {
  return Object.entries(columnsOf(table)).filter(([, { since = 1 }]) => since > version);
}

/** @returns the tables that are new after a schema version, or have new columns. */
export function tablesSince(version: number): SyncedTable[] {
  return SYNCED_TABLES.filter((table) => columnsSince(table, version).length > 0);
}

/** @returns the names of the columns a client may send. */
export function pushableColumns(table: SyncedTable): string[] {
  return Object.entries(columnsOf(table))
    .filter(([, column]) => !column.serverSet)
    .map(([name]) => name);
}

/** @returns the columns that the server sets, and a client sends that makes a record again (P13, P19). */
export function recreatedColumns(table: SyncedTable): string[] {
  return Object.entries(columnsOf(table))
    .filter(([, column]) => column.recreated)
    .map(([name]) => name);
}

/** @returns the columns that a record which is made again does not have: they end with the record. */
export function endingColumns(table: SyncedTable): string[] {
  return Object.entries(columnsOf(table))
    .filter(([, column]) => column.endsWithRecord)
    .map(([name]) => name);
}

export function isSyncedTable(name: string): name is SyncedTable {
  return (SYNCED_TABLES as readonly string[]).includes(name);
}

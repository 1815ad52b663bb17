/**
 * The WatermelonDB schema: the synced tables, made from their description in `domain/schema.ts`, and the tables that
 * never leave the device.
 */

import { SCHEMA_VERSION } from '@/core/protocol';
import type { SalvageRules } from '@/core/storage';
import { type Column, columnsOf, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import {
  type AppSchema,
  addColumns,
  appSchema,
  createTable,
  type MigrationStep,
  tableSchema,
} from './watermelondb';

/** Version of the local database; raised with every step of `migrations.ts`. */
export const LOCAL_SCHEMA_VERSION = 6;

type ColumnSpec = {
  name: string;
  type: 'string' | 'number' | 'boolean';
  isOptional?: boolean;
  isIndexed?: boolean;
  /** Further columns of the index, in which order records with the same value are read. For SQLite alone. */
  indexedWith?: string[];
  /** Columns and expressions of the index, instead of the column itself, as SQL. For SQLite alone. */
  indexedAs?: string;
  /** Which records the index has, as SQL; absent: all. For SQLite alone. */
  indexedWhere?: string;
};

const INDEXED_WITH: Readonly<Record<string, string[]>> = {
  // A task may have thousands of activities; the latest are read.
  'activity_feed.task_id': ['created_at', 'id'],
  // The next task is looked up in each milestone, by priority (N6).
  'tasks.milestone_id': ['priority', 'sort_order', 'created_at', 'id', 'status'],
  // Tasks of a milestone that wait at a checkpoint, those first that nobody has changed for longest.
  'tasks.current_stage': ['milestone_id', 'updated_at', 'id', 'status'],
  'activity_feed.activity_type': ['created_at'],
  // The last words of a user on a task.
  'activity_feed.actor_id': ['task_id', 'activity_type', 'created_at'],
  // A context has those of its project and those of no project, and does not read those of others.
  'patterns.workspace_id': ['project_id'],
  'best_practices.workspace_id': ['project_id'],
};

/**
 * Entries of the feed that ask or mention somebody; of all others the kind is not looked up.
 * @param entry alias of `activity_feed`, with its dot
 */
export const addressesSomebody = (entry = '') =>
  `(${entry}"activity_type" = 'question' or instr(${entry}"details", '"mentions"') > 0)`;

/**
 * The id of the entry that an entry is about. Any client may have written any JSON: what is indexed is short, and text that is
 * none does not end the insert. Some clients spell UUIDs in capitals.
 * @param entry alias of `activity_feed`, with its dot
 */
export function aboutEntry(entry = ''): string {
  const named = `json_extract(${entry}"details", case ${entry}"activity_type" when 'answer' then '$.question'
    when 'comment_edited' then '$.comment' when 'comment_deleted' then '$.comment' else '$.request' end)`;
  return `case when json_valid(${entry}"details") then
    case when length(${named}) = 36 then lower(${named}) when length(${named}) < 36 then ${named} end end`;
}

/** A condition of alternatives, each of which lets SQLite use the index. */
const IS_ABOUT_ENTRY = [
  'answer',
  'comment_edited',
  'comment_deleted',
  'review_requested',
  'review_approved',
  'review_returned',
]
  .map((type) => `"activity_type" = '${type}'`)
  .join(' or ');

const INDEXED_AS: Readonly<Record<string, string>> = {
  // Entries about an entry of a task, the newest last; and the task's requests for review.
  'activity_feed.details': `"task_id", "activity_type", ${aboutEntry()}, "created_at"`,
};

const INDEXED_WHERE: Readonly<Record<string, string>> = {
  'activity_feed.activity_type': addressesSomebody(),
  'activity_feed.details': IS_ABOUT_ENTRY,
};

function localColumn(table: SyncedTable, name: string, column: Column): ColumnSpec {
  const type = column.kind === 'number' || column.kind === 'time' ? 'number' : 'string';
  const [indexedWith, indexedAs, indexedWhere] = [INDEXED_WITH, INDEXED_AS, INDEXED_WHERE].map(
    (all) => all[`${table}.${name}`],
  ) as [string[] | undefined, string | undefined, string | undefined];
  const spec = {
    name,
    type,
    isOptional: column.optional === true,
    isIndexed: column.kind === 'ref' || column.indexed === true || indexedAs !== undefined,
  } as const;
  return {
    ...spec,
    ...(indexedWith && { indexedWith }),
    ...(indexedAs && { indexedAs }),
    ...(indexedWhere && { indexedWhere }),
  };
}

/** Columns of every synced table, besides those of `domain/schema.ts`. */
const COMMON: ColumnSpec[] = [
  { name: 'revision', type: 'number' },
  { name: 'created_at', type: 'number' },
  { name: 'updated_at', type: 'number' },
  { name: 'last_modified_by', type: 'string', isOptional: true },
  { name: 'remote_id', type: 'string', isOptional: true },
  { name: 'is_synced', type: 'boolean' },
  { name: 'sync_status', type: 'string' },
  { name: 'sync_base', type: 'string', isOptional: true },
  { name: 'sync_error', type: 'string', isOptional: true },
];

/** @returns the columns of a table that schema versions from `first` to `last` brought. */
function columnsFrom(name: SyncedTable, first: number, last: number): ColumnSpec[] {
  return Object.entries(columnsOf(name))
    .filter(([, { since = 1 }]) => since >= first && since <= last)
    .map(([column, spec]) => localColumn(name, column, spec));
}

function syncedTable(name: SyncedTable, version = SCHEMA_VERSION) {
  const columns = columnsFrom(name, 1, version);
  return { name, columns: [localColumn(name, 'workspace_id', { kind: 'ref' }), ...columns, ...COMMON] };
}

/** @returns the steps for `migrations.ts` that bring a schema version to the synced tables. */
export function syncedSteps(version: number): MigrationStep[] {
  return SYNCED_TABLES.flatMap((table): MigrationStep[] => {
    const columns = columnsFrom(table, version, version);
    if (columns.length === 0) return [];
    if (columnsFrom(table, 1, version - 1).length > 0) return [addColumns({ table, columns })];
    return [createTable(syncedTable(table, version))];
  });
}

const string = (name: string): ColumnSpec => ({ name, type: 'string' });
const optional = (name: string): ColumnSpec => ({ name, type: 'string', isOptional: true });
const number = (name: string): ColumnSpec => ({ name, type: 'number' });
const indexed = (name: string): ColumnSpec => ({ name, type: 'string', isIndexed: true });

/** The tables that never leave the device; each has a model in `models/local`. */
const LOCAL_TABLES = {
  sync_cursors: [number('revision'), string('tag'), optional('paging'), string('role'), string('skip')],
  sync_outbox: [number('batch'), string('request')],
  sync_conflicts: [
    indexed('kind'),
    string('state'),
    string('record_table'),
    indexed('record_id'),
    indexed('workspace_id'),
    string('columns'),
    optional('lost'),
    string('device_id'),
    { ...number('occurred_at'), isIndexed: true },
  ],
  sync_quarantine: [
    string('record_table'),
    indexed('record_id'),
    indexed('workspace_id'),
    string('operation'),
    string('change'),
    string('code'),
    optional('column_name'),
    string('message'),
    indexed('group_id'),
    number('occurred_at'),
  ],
  sync_archive: [
    string('record_table'),
    indexed('record_id'),
    indexed('workspace_id'),
    string('reason'),
    string('operation'),
    string('values'),
    number('occurred_at'),
  ],
  sync_id_mappings: [string('record_table'), indexed('local_id'), indexed('remote_id')],
  sync_log: [
    number('started_at'),
    number('duration_ms'),
    string('status'),
    number('pushed'),
    number('pulled'),
    number('conflicts'),
    number('rejected'),
    number('sent_bytes'),
    number('received_bytes'),
    optional('error'),
  ],
  sync_state: [string('value')],
} satisfies Record<string, ColumnSpec[]>;

export type LocalTable = keyof typeof LOCAL_TABLES;

/**
 * Which local tables are salvaged from a damaged database, besides unsynced records: all but the cursors, so that every
 * scope is pulled anew (D44).
 */
export const SALVAGE_RULES: SalvageRules = {
  ...Object.fromEntries(Object.keys(LOCAL_TABLES).map((table) => [table, 'all' as const])),
  sync_cursors: 'none',
};

export const schema: AppSchema = appSchema({
  version: LOCAL_SCHEMA_VERSION,
  tables: [
    ...SYNCED_TABLES.map((name) => tableSchema(syncedTable(name))),
    ...Object.entries(LOCAL_TABLES).map(([name, columns]) => tableSchema({ name, columns })),
  ],
});

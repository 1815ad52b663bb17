/** Puts generated workspaces into the real database, valid as if devices had pushed them. */

import type pg from 'pg';
import { COUNTS, type FilledTable, HEAD, makeWorkspace, ROWS_OF_WORKSPACE, type Row } from './workspace';

/** The rows of one user. */
export interface Dataset {
  rows: number;
  workspaceIds: string[];
  taskIds: string[];
}

const COMMON = ['id', 'workspace_id', 'revision', 'created_at', 'updated_at', 'field_revisions'] as const;
const TYPES: Readonly<Record<string, string>> = {
  revision: 'bigint',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  sort_order: 'double precision',
  field_revisions: 'jsonb',
  tech_stack: 'jsonb',
  content: 'jsonb',
  details: 'jsonb',
};
const PER_STATEMENT = 10_000;

const typeOf = (column: string): string =>
  TYPES[column] ?? (column === 'id' || column.endsWith('_id') ? 'uuid' : 'text');

/**
 * @param first number of the first workspace
 * @param workspaces of 10,000 tasks each
 */
export async function loadDataset(
  client: pg.Client,
  userId: string,
  first: number,
  workspaces: number,
): Promise<Dataset> {
  const dataset: Dataset = { rows: workspaces * ROWS_OF_WORKSPACE, workspaceIds: [], taskIds: [] };
  await client.query('begin');
  // The rows come with their stamps, and are valid: no trigger has to look at them.
  await client.query('set local session_replication_role = replica');
  for (let number = first; number < first + workspaces; number += 1) {
    const rows = makeWorkspace(number);
    const workspaceId = (rows.workspaces[0] as Row).id;
    await client.query(
      `insert into convoy.scope_clocks (scope_id, revision, tag)
       values ($1::uuid, $2::bigint, md5($1::uuid::text || $2::bigint::text))`,
      [workspaceId, HEAD],
    );
    await client.query(
      `insert into convoy.scope_revisions (scope_id, revision, tag)
       select $1::uuid, r, md5($1::uuid::text || r::text) from generate_series(0, $2::int) r`,
      [workspaceId, HEAD],
    );
    for (const table of Object.keys(COUNTS) as FilledTable[]) {
      await insert(client, table, workspaceId, rows[table]);
    }
    await client.query(
      `insert into public.workspace_members
         (id, workspace_id, user_id, role, revision, field_revisions, created_at, updated_at, last_modified_by, display_name)
       values (gen_random_uuid(), $1, $2, 'owner', 1, '{}', now(), now(), $2, 'Bench')`,
      [workspaceId, userId],
    );
    dataset.workspaceIds.push(workspaceId);
    for (const { id } of rows.tasks) dataset.taskIds.push(id);
  }
  await client.query('commit');
  return dataset;
}

async function insert(client: pg.Client, table: FilledTable, workspaceId: string, rows: Row[]) {
  const own = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (name) => !(COMMON as readonly string[]).includes(name),
  );
  const columns = [...COMMON, ...own];
  for (let start = 0; start < rows.length; start += PER_STATEMENT) {
    const part = rows.slice(start, start + PER_STATEMENT);
    const values: Record<string, unknown[]> = {
      workspace_id: part.map(({ id }) => (table === 'workspaces' ? id : workspaceId)),
      updated_at: part.map(({ created_at }) => created_at),
      field_revisions: part.map(() => '{}'),
    };
    await client.query(
      `insert into public.${table} (${columns.join()})
       select * from unnest(${columns.map((name, n) => `$${n + 1}::${typeOf(name)}[]`).join()})`,
      columns.map((name) => values[name] ?? part.map((row) => row[name] ?? null)),
    );
  }
}

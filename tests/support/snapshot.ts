/** The records of a device or the server in canonical form, to be compared and hashed. */

import { createHash } from 'node:crypto';
import type { Json } from '@/core/protocol';
import { SERVER_ONLY_COLUMNS, SYNCED_TABLES } from '@/domain/schema';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { toEntity } from '@/lib/watermelon/context/localStore';
import type { SqlBackend } from '@/server';

/** Records by table and id, with every synced column and the revision. */
export type Snapshot = Record<string, Record<string, Json>>;

export async function deviceSnapshot(database: ConvoyDatabase): Promise<Snapshot> {
  const snapshot: Snapshot = {};
  for (const table of SYNCED_TABLES) {
    const records = await database.records(table).query().fetch();
    for (const { raw } of records) {
      snapshot[`${table}/${raw.id}`] = {
        ...toEntity<Record<string, Json>>(table, raw),
        revision: raw.revision as number,
      };
    }
  }
  return sorted(snapshot);
}

/** The rows that a member of these workspaces should hold, straight from the tables. */
export async function serverSnapshot(backend: SqlBackend, userId: string): Promise<Snapshot> {
  const snapshot: Snapshot = {};
  for (const table of SYNCED_TABLES) {
    const rows = await backend.transaction((connection) =>
      connection.query<{ row: string }>(
        `select to_jsonb(t)::text as row from public.${table} t
         where t.deleted_at is null
           and (t.workspace_id = '${GLOBAL_SCOPE_ID}'
             or t.workspace_id in (select m.workspace_id from public.workspace_members m
                                   where m.user_id = $1::uuid and m.deleted_at is null))`,
        [userId],
      ),
    );
    if (!rows.ok) throw new Error(rows.error.message);
    for (const { row } of rows.value) {
      const shownRow = shown(JSON.parse(row) as Record<string, Json>);
      snapshot[`${table}/${shownRow.id}`] = shownRow;
    }
  }
  return sorted(snapshot);
}

function shown(row: Record<string, Json>): Record<string, Json> {
  const hidden: readonly string[] = SERVER_ONLY_COLUMNS;
  const entries = Object.entries(row).filter(([name]) => !hidden.includes(name));
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const isTime = typeof value === 'string' && /(_at|_date|_until)$/.test(name);
      return [name, isTime ? new Date(value).toISOString() : value];
    }),
  );
}

function sorted(snapshot: Snapshot): Snapshot {
  const order = <T>(object: Record<string, T>) =>
    Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
  return order(Object.fromEntries(Object.entries(snapshot).map(([key, row]) => [key, order(row)])));
}

export function hashOf(snapshot: Snapshot): string {
  return createHash('sha256')
    .update(JSON.stringify(deepSorted(snapshot)))
    .digest('hex')
    .slice(0, 16);
}

function deepSorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(deepSorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, nested]) => [key, deepSorted(nested)]),
  );
}

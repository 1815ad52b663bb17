/** Deletions and restores as a device of the team sends them. */

import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import type { SyncUser } from '../../support/syncUser';
import { database, team } from '../../support/teamDatabase';

export interface Deletion {
  id: string;
  type: string;
  entity: string;
  name: string;
  parts: number;
  restored: boolean;
}

export const deletions = () =>
  database.query<Deletion>(
    `select id::text as id, entity_type as type, entity_id::text as entity, name, parts::int as parts,
       restored_at is not null as restored
     from public.deletions where workspace_id = $1::uuid order by created_at, name`,
    [team.workspace],
  );

export async function isLive(table: SyncedTable, id: string): Promise<boolean> {
  const [row] = await database.query<{ live: boolean }>(
    `select deleted_at is null as live from public.${table} where id = $1::uuid`,
    [id],
  );
  return row?.live ?? false;
}

export const task = (title: string, more: object = {}) =>
  team.make.insert('tasks', { title, milestone_id: team.milestone, ...more });
export const link = (from: string, to: string) =>
  team.make.insert('task_dependencies', { task_id: from, depends_on_task_id: to });

/** Deletes under an id that the device draws. @returns that id */
export async function remove(table: SyncedTable, id: string, who: SyncUser = team.owner): Promise<string> {
  const deletion_id = randomUUID();
  const done = await who.pushOne(team.make.delete(table, id, null, { values: { deletion_id } }));
  expect(done.outcome).toBe('applied');
  return deletion_id;
}

export const wish = (deletion: string, base: number | null = null): PushChange =>
  team.make.update('deletions', deletion, base, { restored_at: '2026-01-05T10:00:00.000Z' });
export const restore = (deletion: string, who: SyncUser = team.owner) => who.pushOne(wish(deletion));

export const APPLIED = expect.objectContaining({ outcome: 'applied' });

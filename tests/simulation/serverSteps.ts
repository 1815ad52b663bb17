/** What happens to the server: administrators, operators, backups. Straight in the database. */

import { isSyncedTable } from '@/core/schema';
import { ROLES } from '@/core/vocabulary';
import { readServer } from './checks';
import type { SimDevice } from './device';
import { KEPT_TABLES } from './oracle';
import type { Step } from './program';
import type { Random } from './random';
import type { Backup, SimServer } from './server';
import type { Stage } from './stage';
import type { StoredRow } from './storage';

/** The latest backup of each run. */
const backups = new WeakMap<Stage, Backup>();

/**
 * What a device keeps after a backup was put back: a workspace that the backup does not have is to it
 * like one that it may not see any more. Only what is unsynced stays, in the archive.
 */
async function keptBy(server: SimServer, device: SimDevice): Promise<Map<string, StoredRow[]>> {
  const visible = await server.visibleTo(device.user.id);
  const stays = (row: StoredRow) =>
    row.workspace_id === undefined ||
    visible.has(row.workspace_id as string) ||
    (row._status ?? 'synced') !== 'synced';
  // Cursors, the log of changes and the like name records, and hold nothing of them.
  const holding = [...device.stored()].filter(
    ([table]) => isSyncedTable(table) || KEPT_TABLES.includes(table),
  );
  return new Map(holding.map(([table, rows]) => [table, rows.filter(stays)]));
}

export async function serverStep(simulation: Stage, step: Step, random: Random): Promise<void> {
  const { server, oracle, workspaces } = simulation;
  const workspace = random.pick(workspaces);
  const { user } = simulation.device(step);
  const attempt = (text: string, values: (string | number)[]) =>
    // What a trigger refuses, such as the end of the last owner, does not happen.
    server.sql(text, values).catch(() => []);
  switch (step.action) {
    case 'role':
      await attempt(
        'update public.workspace_members set role = $3 where workspace_id = $1::uuid and user_id = $2::uuid and deleted_at is null',
        [workspace.id, user.id, random.pick(ROLES)],
      );
      return;
    case 'remove member':
      await attempt(
        'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid and deleted_at is null',
        [workspace.id, user.id],
      );
      return;
    case 'readmit':
      await attempt(
        `insert into public.workspace_members (id, workspace_id, user_id, role)
         select gen_random_uuid(), $1::uuid, $2::uuid, $3 where not exists (
           select from public.workspace_members m
           where m.workspace_id = $1::uuid and m.user_id = $2::uuid and m.deleted_at is null)`,
        [workspace.id, user.id, random.pick(ROLES)],
      );
      return;
    case 'service edit': {
      const tasks = await server.sql<{ id: string }>(
        'select id::text as id from public.tasks where workspace_id = $1::uuid and deleted_at is null order by id',
        [workspace.id],
      );
      if (tasks.length === 0) return;
      const { id } = random.pick(tasks);
      const [before] = await server.sql<{ title: string }>(
        'select title from public.tasks where id = $1::uuid',
        [id],
      );
      const token = `s${step.pick}q`;
      const operation = oracle.begin('the service', 'service edit');
      operation.writes.push({
        table: 'tasks',
        id,
        column: 'title',
        value: token,
        wrote: token,
        saw: before?.title ?? '',
      });
      operation.acknowledged = true;
      await server.sql("update public.tasks set title = $2, priority = 'urgent' where id = $1::uuid", [
        id,
        token,
      ]);
      return;
    }
    case 'service delete': {
      oracle.giveUp([...(await readServer(server)).rows]);
      await attempt(
        `update public.tasks set deleted_at = now() where id = (
           select id from public.tasks where workspace_id = $1::uuid and deleted_at is null order by id limit 1)`,
        [workspace.id],
      );
      return;
    }
    case 'back up': {
      const isWhole = random.chance(0.3);
      const all = await server.sql<{ id: string }>('select scope_id::text as id from convoy.scope_clocks');
      backups.set(
        simulation,
        await server.backUp(isWhole ? all.map(({ id }) => id) : [workspace.id], isWhole),
      );
      return;
    }
    case 'restore backup': {
      const backup = backups.get(simulation);
      if (!backup) return;
      await server.putBack(backup);
      simulation.witness.forgetHistory();
      oracle.excuseLost(
        await readServer(server),
        await Promise.all(simulation.devices.map((device) => keptBy(server, device))),
      );
      return;
    }
    case 'purge':
      oracle.bury(await readServer(server));
      await server.sql("select convoy.purge(interval '1 hour')");
      simulation.witness.forgetHistory();
      return;
    default:
      throw new Error(`${step.action} is no step of the server`);
  }
}

/** What happens to the server: administrators, operators, backups. Straight in the database. */

import type { Json } from '@/core/protocol';
import { JSON_LIMITS } from '@/core/text';
import { isSyncedTable } from '@/domain/schema';
import { ROLES } from '@/domain/vocabulary';
import { agentStep } from './agentSteps';
import { readServer } from './checks';
import type { SimDevice } from './device';
import { noteRestored } from './keyChecks';
import { KEPT_TABLES } from './oracle';
import type { Step } from './program';
import type { Random } from './random';
import type { Backup, SimServer } from './server';
import type { Stage } from './stage';
import type { StoredRow } from './storage';

/** The latest backup of each run, and the writes that the server had by then. */
const backups = new WeakMap<Stage, { backup: Backup; taken: ReadonlySet<unknown> }>();
/** Runs in which one was put back. */
const restored = new WeakSet<Stage>();

/**
 * What a device keeps after a backup was put back (P19). Of a workspace that the server has forgotten an owner
 * keeps all but the memberships, and others what they wrote themselves and what is unsynced.
 */
async function keptBy(server: SimServer, device: SimDevice): Promise<Map<string, StoredRow[]>> {
  const visible = await server.visibleTo(device.user.id);
  const stored = device.stored();
  const owned = new Set(
    (stored.get('sync_cursors') ?? []).flatMap(({ id, role }) => (role === 'owner' ? [id] : [])),
  );
  const left = workspacesLeft(stored);
  const stays = (table: string, row: StoredRow) =>
    row.workspace_id === undefined ||
    (visible.has(row.workspace_id as string) && !left.has(row.workspace_id)) ||
    (row._status ?? 'synced') !== 'synced' ||
    (table !== 'workspace_members' &&
      table !== 'deletions' &&
      !left.has(row.workspace_id) &&
      (owned.has(row.workspace_id) || (row.last_modified_by ?? device.user.id) === device.user.id));
  // Cursors, the log of changes and the like name records, and hold nothing of them.
  const holding = [...stored].filter(([table]) => isSyncedTable(table) || KEPT_TABLES.includes(table));
  return new Map(holding.map(([table, rows]) => [table, rows.filter((row) => stays(table, row))]));
}

/**
 * A member who is removed after a backup was put back may not have heard of it: their devices clear what they believe to be on the
 * server, also what only they still have (P12).
 */
async function excuseCleared({ devices, oracle, server }: Stage, userId: string): Promise<void> {
  const kept = await Promise.all(
    devices.map(async (device) => {
      const tables = await keptBy(server, device);
      if (device.user.id !== userId) return tables;
      const isKept = (row: StoredRow) => (row._status ?? 'synced') !== 'synced';
      return new Map(
        [...tables].map(([name, rows]) => [name, isSyncedTable(name) ? rows.filter(isKept) : rows]),
      );
    }),
  );
  oracle.excuseLost(await readServer(server), kept);
}

/** Workspaces whose purge is not over: it goes on when they are visible again (P12), and keeps what is unsynced alone. */
function workspacesLeft(stored: Map<string, StoredRow[]>): Set<unknown> {
  const device = (stored.get('sync_state') ?? []).find(({ id }) => id === 'device');
  const { leaving = {} } = JSON.parse((device?.value as string | undefined) ?? '{}') as {
    leaving?: Record<string, string>;
  };
  return new Set(Object.keys(leaving).filter((id) => leaving[id] === 'access_lost'));
}

const nested = (depth: number): Json => Array.from({ length: depth }).reduce<Json>((inner) => [inner], []);

/** @returns whether anything happened */
export async function serverStep(simulation: Stage, step: Step, random: Random): Promise<boolean> {
  const { server, oracle, workspaces } = simulation;
  const workspace = random.pick(workspaces);
  const { user } = simulation.device(step);
  const attempt = async (text: string, values: (string | number)[]): Promise<boolean> => {
    try {
      return (await server.sql(`${text} returning id`, values)).length > 0;
    } catch {
      // A step that a trigger refuses, such as removing the last owner, does not happen.
      return false;
    }
  };
  switch (step.action) {
    case 'role':
      return attempt(
        'update public.workspace_members set role = $3 where workspace_id = $1::uuid and user_id = $2::uuid and deleted_at is null',
        [workspace.id, user.id, random.pick(ROLES)],
      );
    case 'remove member': {
      const isRemoved = await attempt(
        'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid and deleted_at is null',
        [workspace.id, user.id],
      );
      if (isRemoved && restored.has(simulation)) await excuseCleared(simulation, user.id);
      return isRemoved;
    }
    case 'readmit':
      return attempt(
        `insert into public.workspace_members (id, workspace_id, user_id, role)
         select gen_random_uuid(), $1::uuid, $2::uuid, $3 where not exists (
           select from public.workspace_members m
           where m.workspace_id = $1::uuid and m.user_id = $2::uuid and m.deleted_at is null)`,
        [workspace.id, user.id, random.pick(ROLES)],
      );
    case 'service edit': {
      // Records that are being deleted in steps are deleted: a value that is written to one stands on its tombstone (U44).
      const tasks = await server.sql<{ id: string }>(
        `select id::text as id from public.tasks where workspace_id = $1::uuid and deleted_at is null
          and (workspace_id not in (select u.workspace_id from convoy.unfinished_deletions u)
            or convoy.hidden_by('tasks', id) is null) order by id`,
        [workspace.id],
      );
      if (tasks.length === 0) return false;
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
      return true;
    }
    case 'unreadable row':
    case 'repair row': {
      const isDeep = step.action === 'unreadable row';
      const patterns = await server.sql<{ id: string; content: string }>(
        `select id::text as id, content::text as content from public.patterns
          where workspace_id = $1::uuid and deleted_at is null and content ? 'deep' <> $2::boolean order by id`,
        [workspace.id, isDeep],
      );
      if (patterns.length === 0) return false;
      const { id, content } = random.pick(patterns);
      const token = `u${step.pick}q`;
      const operation = oracle.begin('the service', step.action);
      const write = { table: 'patterns', id, column: 'content', value: token, wrote: token, saw: content };
      operation.writes.push(write);
      operation.acknowledged = true;
      const deep = isDeep ? { deep: nested(JSON_LIMITS.depth + 50) } : {};
      await server.sql('update public.patterns set content = $2::jsonb where id = $1::uuid', [
        id,
        JSON.stringify({ token, ...deep }),
      ]);
      return true;
    }
    case 'service delete': {
      oracle.giveUp([...(await readServer(server)).rows]);
      return attempt(
        `update public.tasks set deleted_at = now() where id = (
           select id from public.tasks where workspace_id = $1::uuid and deleted_at is null order by id limit 1)`,
        [workspace.id],
      );
    }
    case 'back up': {
      const isWhole = random.chance(0.3);
      const all = await server.sql<{ id: string }>('select scope_id::text as id from convoy.scope_clocks');
      const backup = await server.backUp(isWhole ? all.map(({ id }) => id) : [workspace.id], isWhole);
      backups.set(simulation, { backup, taken: simulation.witness.taken() });
      return true;
    }
    case 'restore backup': {
      const last = backups.get(simulation);
      if (!last) return false;
      await server.putBack(last.backup);
      restored.add(simulation);
      await noteRestored(server);
      simulation.witness.forget(last.taken);
      oracle.excuseLost(
        await readServer(server),
        await Promise.all(simulation.devices.map((device) => keptBy(server, device))),
      );
      return true;
    }
    case 'purge':
      oracle.bury(await readServer(server));
      // Horizons rise in one call; the next one erases.
      for (let call = 0; call < 2; call += 1) await server.sql("select convoy.purge(interval '1 hour')");
      simulation.witness.forget(simulation.witness.taken());
      return true;
    default: {
      const done = await agentStep(simulation, step, random);
      if (done === null) throw new Error(`${step.action} is no step of the server`);
      return done;
    }
  }
}

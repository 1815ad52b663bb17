/** What has to hold when everything is quiet. */

import { firstValueFrom } from 'rxjs';
import type { Json } from '@/core/protocol';
import type { WorkflowStage } from '@/domain/entities';
import { columnsOf, SYNCED_TABLES } from '@/domain/schema';
import { checkpointInTheWay } from '@/domain/taskRules';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import type { Snapshot } from '../support/snapshot';
import { checkQuietClaims } from './claimWitness';
import type { SimDevice } from './device';
import { checkForgedReviews } from './forging';
import { checkKeys } from './keyChecks';
import type { Oracle, ServerContent } from './oracle';
import { ALL_USERS, type SimServer } from './server';
import type { Stage } from './stage';
import type { StoredRow } from './storage';

export async function readServer(server: SimServer): Promise<ServerContent> {
  const tables = await server.sql<{ name: string }>('select name from convoy.synced_tables');
  const query = tables
    .map(
      ({ name: table }) =>
        `select '${table}' as name, coalesce(json_agg(t), '[]')::text as rows from public.${table} t`,
    )
    .join(' union all ');
  const found = await server.sql<{ name: string; rows: string }>(query);
  return {
    rows: new Map(found.map(({ name, rows }) => [name, JSON.parse(rows) as Record<string, unknown>[]])),
  };
}

export async function checkEverything(simulation: Stage): Promise<void> {
  const { devices, oracle, server } = simulation;
  await endAbandoned(simulation);
  const content = await readServer(server);
  const stored = new Map(devices.map((device) => [device.name, device.stored()]));
  const expected = new Map<string, Snapshot>();
  for (const device of devices) {
    const { user, version, isNext } = device;
    const key = `${user.id} ${isNext}`;
    const wanted = expected.get(key) ?? (await version.serverSnapshot(server.backend, user.id));
    expected.set(key, wanted);
    const tables = stored.get(device.name) as Map<string, StoredRow[]>;
    await device.alive();
    for (const life of device.lives) {
      life.lists.check(oracle, device.name, tables);
      const claims = await firstValueFrom(life.device.contextService.observeClaims());
      for (const { task_id, state } of claims) {
        if (state === 'waiting' || state === 'releasing')
          oracle.violate('C10', `${device.name} has not settled its claim of ${task_id}`);
      }
      const held = byRemoteIds(await version.deviceSnapshot(life.device.database), tables);
      compare(oracle, device, held, readable(byRemoteIds(wanted, tables), held));
    }
    checkTold(oracle, device, tables, wanted);
    checkTracking(oracle, device, tables);
    checkLedger(oracle, device, tables);
  }
  checkParents(oracle, content);
  checkBlanked(oracle, content);
  const unfinished = await server.sql('select from convoy.unfinished_deletions');
  if (unfinished.length > 0) oracle.violate('U44', `${unfinished.length} deletions do not come to an end`);
  oracle.checkNothingLost(content, stored);
  await checkCheckpoints(oracle, server);
  await checkQuietClaims(oracle, server);
  await checkForgedReviews(oracle, server);
  await checkKeys(oracle, server, stored);
}

/** Calls of the purge that end any deletion of a simulation. */
const MOST_PURGES = 200;

/** A deletion that no device of a member is left to take the steps of is ended by the purge, which every server runs from time to time (U44). */
async function endAbandoned({ devices, server }: Stage): Promise<void> {
  const users = JSON.stringify(devices.map(({ user }) => user.id));
  const abandoned = () =>
    server.sql(
      `select from convoy.unfinished_deletions u
        where not exists (
          select from public.workspace_members m
           where m.workspace_id = u.workspace_id and m.deleted_at is null
             and m.user_id in (select value::uuid from jsonb_array_elements_text($1::jsonb)))`,
      [users],
    );
  for (let calls = 0; calls < MOST_PURGES && (await abandoned()).length > 0; calls += 1) {
    await server.sql("select convoy.purge(interval '100 years')");
  }
}

/** Rows that no device can store are the patterns that `unreadable row` has spoiled. */
const isDeep = (row: Snapshot[string] | undefined): boolean =>
  typeof row?.content === 'object' && row.content !== null && 'deep' in row.content;

/** @returns what a device has to hold: of rows that it cannot store, whatever it holds */
function readable(wanted: Snapshot, held: Snapshot): Snapshot {
  const entries = Object.entries(wanted).flatMap(([key, row]) => {
    if (!isDeep(row)) return [[key, row] as const];
    return held[key] ? [[key, held[key]] as const] : [];
  });
  return Object.fromEntries(entries) as Snapshot;
}

/** P33: a device tells of the rows that it cannot store, and of no others. */
function checkTold(
  oracle: Oracle,
  device: SimDevice,
  tables: Map<string, StoredRow[]>,
  wanted: Snapshot,
): void {
  const told = (tables.get('sync_state') ?? [])
    .map(({ id }) => String(id))
    .filter((id) => id.startsWith('unreadable/'))
    .map((id) => id.slice('unreadable/'.length));
  const deep = Object.keys(wanted).filter((key) => isDeep(wanted[key]));
  if (told.sort().join() !== deep.sort().join()) {
    oracle.violate(
      'P33',
      `${device.name} tells of ${told.join() || 'nothing'} that it cannot store, not of ${deep.join() || 'nothing'}`,
    );
  }
}

/** A device may know records by ids of its own; the details of activities name them by these on the server too. */
function byRemoteIds(held: Snapshot, tables: Map<string, StoredRow[]>): Snapshot {
  const mappings = (tables.get('sync_id_mappings') ?? []).filter(
    ({ local_id }) => String(local_id).length < 36,
  );
  if (mappings.length === 0) return held;
  let text = JSON.stringify(held);
  for (const { local_id, remote_id } of mappings) text = text.replaceAll(String(local_id), String(remote_id));
  return JSON.parse(text) as Snapshot;
}

/** D6: where the server's value is to win, it has won. */
function checkLedger(oracle: Oracle, device: SimDevice, tables: Map<string, StoredRow[]>): void {
  for (const entry of tables.get('sync_conflicts') ?? []) {
    if (entry.kind !== 'columns') continue;
    const columns = JSON.parse(entry.columns as string) as Record<
      string,
      Record<'by' | 'chosen' | 'remote', Json>
    >;
    for (const [name, { by, chosen, remote }] of Object.entries(columns)) {
      if (by === 'remote' && chosen !== remote) {
        oracle.violate(
          'D6',
          `${entry.record_table}/${entry.record_id} ${name}: ${device.name} chose its own value over the server's`,
        );
      }
    }
  }
}

/** F4: of a deleted comment no text is left, nor of its edits. (Devices hold what the server does.) */
function checkBlanked(oracle: Oracle, content: ServerContent): void {
  const entries = (content.rows.get('activity_feed') ?? []).filter(({ deleted_at }) => deleted_at === null);
  const detailsOf = (row: Record<string, unknown>) => (row.details ?? {}) as Record<string, unknown>;
  const deleted = new Set(
    entries.filter((row) => row.activity_type === 'comment_deleted').map((row) => detailsOf(row).comment),
  );
  for (const row of entries) {
    const isAbout =
      deleted.has(row.id) || (row.activity_type === 'comment_edited' && deleted.has(detailsOf(row).comment));
    if (isAbout && 'text' in detailsOf(row))
      oracle.violate('F4', `${row.id} still has the text of a deleted comment`);
  }
}

/** U8: no live record stands under a deleted one. */
function checkParents(oracle: Oracle, content: ServerContent): void {
  const deleted = new Set<string>();
  for (const rows of content.rows.values()) {
    for (const row of rows) if (row.deleted_at !== null) deleted.add(row.id as string);
  }
  for (const table of SYNCED_TABLES) {
    // The record of a deletion outlives its workspace, since the workspace is restored by it.
    if (table === 'deletions') continue;
    const parents = Object.entries(columnsOf(table))
      .filter(([, column]) => column.parent)
      .map(([name]) => name);
    if (table !== 'workspaces' && table !== 'workspace_members') parents.push('workspace_id');
    for (const row of content.rows.get(table) ?? []) {
      if (row.deleted_at !== null) continue;
      const dead = parents.find((name) => deleted.has(row[name] as string));
      if (dead) oracle.violate('U8', `${table}/${row.id} is alive under a deleted ${dead}`);
    }
  }
}

/** P-CONVERGE, field by field. */
function compare(oracle: Oracle, device: SimDevice, held: Snapshot, wanted: Snapshot): void {
  for (const key of new Set([...Object.keys(held), ...Object.keys(wanted)])) {
    const [here, there] = [held[key], wanted[key]];
    if (!here) oracle.violate('P-CONVERGE', `${key} is not on ${device.name}`);
    else if (!there)
      oracle.violate('P-CONVERGE', `${key} is on ${device.name} and not for them on the server`);
    else {
      for (const column of Object.keys(there)) {
        if (!device.isNext && column === 'risk') continue;
        const [mine, theirs] = [text(here[column]), text(there[column])];
        if (mine !== theirs) {
          oracle.violate(
            'P-CONVERGE',
            `${key} ${column} is ${mine} on ${device.name}, ${theirs} on the server`,
          );
        }
      }
    }
  }
}

/** JSON in canonical form. */
function text(value: Json | undefined): string {
  return JSON.stringify(value ?? null, (_key, nested: Json) =>
    nested !== null && typeof nested === 'object' && !Array.isArray(nested)
      ? Object.fromEntries(Object.entries(nested).sort(([a], [b]) => (a < b ? -1 : 1)))
      : nested,
  );
}

/** D1, D2: the columns, WatermelonDB's status and the stored bases agree. */
function checkTracking(oracle: Oracle, device: SimDevice, stored: Map<string, StoredRow[]>): void {
  for (const table of SYNCED_TABLES) {
    for (const row of stored.get(table) ?? []) {
      const isSynced = row._status === 'synced';
      const base =
        row.sync_base === null ? null : (JSON.parse(row.sync_base as string) as { columns: object });
      const changed = String(row._changed ?? '')
        .split(',')
        .filter(Boolean)
        .sort()
        .join();
      const tracked = Object.keys(base?.columns ?? {})
        .sort()
        .join();
      const agrees =
        Boolean(row.is_synced) === isSynced &&
        row.sync_status === row._status &&
        (base === null) === isSynced &&
        (!isSynced || changed === '') &&
        (row._status !== 'updated' || changed === tracked);
      if (!agrees)
        oracle.violate(
          'D1',
          `${table}/${row.id} on ${device.name} contradicts itself: ${JSON.stringify(row)}`,
        );
    }
  }
}

/** P-CHECKPOINT: only people took a task past a checkpoint. */
async function checkCheckpoints(oracle: Oracle, server: SimServer): Promise<void> {
  const moves = await server.sql<{
    task_id: string;
    old_stage: string | null;
    new_stage: string;
    finished: boolean;
    was_finished: boolean;
    actor: string;
    stages: string;
  }>(
    `select m.task_id::text as task_id, m.old_stage, m.new_stage, m.finished, m.was_finished, m.actor::text as actor,
       (select w.stages::text from public.workflows w where w.id = coalesce(m.workflow_id, '${STANDARD_WORKFLOW_ID}')) as stages
     from witness.moves m where m.actor is not null`,
  );
  const people = new Set(ALL_USERS.filter(({ kind }) => kind === 'human').map(({ id }) => id));
  for (const move of moves) {
    if (people.has(move.actor)) continue;
    const stages = JSON.parse(move.stages ?? '[]') as WorkflowStage[];
    const passed = checkpointInTheWay(stages, move.old_stage, move.new_stage, move.finished);
    if (passed) oracle.violate('P-CHECKPOINT', `${move.task_id} went past ${passed} by ${move.actor}`);
  }
}

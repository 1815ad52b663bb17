/** The database of a user, read and never opened as Convoy opens it: that would migrate or mend it. */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { count } from '@/core/count';
import { haltIn, type OwnMembership } from '@/domain/agents';
import { databaseName } from '@/lib/watermelon/accounts/databases';
import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { isLocked } from '@/platform/node/fileLock';
import { readSqlite, type Select } from '@/platform/node/readSqlite';
import type { KeptProfile } from '../profiles';
import { type Check, doubtful, faulty, good } from './check';

const NAME = 'database';
const SALVAGE =
  'Keep a copy of the folder, then run any command, such as convoy status: Convoy puts the damaged file aside, and makes a new one with what can be salvaged.';

export function checkDatabase({ folder, userId, kind }: KeptProfile): Check[] {
  const path = join(folder, `${databaseName(userId)}.db`);
  if (!existsSync(path)) {
    const message = 'There is no database yet, or it is being replaced.';
    return [doubtful(NAME, message, 'Run: convoy sync'), checkLeader(folder)];
  }
  const read = readSqlite(path, (select) => examine(select, userId));
  if (!read.ok) {
    const mend = read.error.code === 'corrupt' ? SALVAGE : `See to it that ${path} can be read.`;
    return [faulty(NAME, `${path}: ${read.error.message}`, mend), checkLeader(folder)];
  }
  const { fault, version, unsynced, refused, open, memberships } = read.value;
  if (fault !== null) return [faulty(NAME, `${path} is damaged: ${fault}`, SALVAGE), checkLeader(folder)];
  const size = `${Math.ceil(statSync(path).size / 1_000_000).toLocaleString('en')} MB`;
  const isSuspect = existsSync(`${path}-damaged`);
  return [
    isSuspect
      ? doubtful(NAME, `${path} is sound, and was found damaged earlier.`, 'The next command checks it anew.')
      : good(NAME, `${path} opens and is sound, ${size}.`),
    checkVersion(version),
    ...(kind === 'agent' ? checkMemberships(memberships) : []),
    unsynced === 0
      ? good('unsynced', 'Everything is on the server.')
      : doubtful('unsynced', `Not on the server yet: ${count(unsynced, 'record')}.`, 'Run: convoy sync'),
    refused + open === 0
      ? good('set aside', 'Nothing waits for a decision.')
      : doubtful(
          'set aside',
          `To be decided: ${count(open, 'conflict')} and ${count(refused, 'refused change')}.`,
          'Run: convoy conflicts, and convoy refused',
        ),
    checkLeader(folder),
  ];
}

/** An agent that has to stop is told so by every command; this one opens no device. */
function checkMemberships(memberships: readonly OwnMembership[]): Check[] {
  // Without any, there may not have been a sync yet.
  const halt = memberships.length === 0 ? null : haltIn(memberships, null);
  return halt === null
    ? []
    : [doubtful('membership', halt.message, 'A person ends the pause by: convoy agent resume')];
}

function checkVersion(version: number): Check {
  const name = 'local schema';
  const mine = LOCAL_DATABASE.schema.version;
  if (version === mine) return good(name, `Version ${version}, as this convoy has it.`);
  if (version < mine) {
    return good(name, `Version ${version}; the next command brings it to ${mine}.`);
  }
  const message = `Version ${version} is of a newer convoy; this one knows ${mine}.`;
  return faulty(name, message, 'Update convoy. The newer one may be what an agent’s host runs.');
}

interface Examined {
  /** What SQLite finds damaged; null: nothing. */
  fault: string | null;
  version: number;
  unsynced: number;
  refused: number;
  open: number;
  /** Of the user. */
  memberships: OwnMembership[];
}

function examine(select: Select, userId: string): Examined {
  const one = (sql: string): unknown => select(sql)[0]?.[0];
  const said = String(one('pragma quick_check(1)'));
  if (said !== 'ok') return { fault: said, version: 0, unsynced: 0, refused: 0, open: 0, memberships: [] };
  const tables = select(
    `select "name" from "sqlite_master" where "type" = 'table'
     and exists (select 1 from pragma_table_info("sqlite_master"."name") where "name" = '_status')`,
  ).map(([name]) => String(name));
  const count = (table: string, where: string) =>
    tables.includes(table) ? Number(one(`select count(*) from "${table}" where ${where}`)) : 0;
  // What only the device keeps is never sent.
  const replicated = tables.filter((table) => !table.startsWith('sync_'));
  const unsynced = replicated.map((table) => count(table, `"_status" <> 'synced'`));
  return {
    fault: null,
    version: Number(one('pragma user_version')),
    unsynced: unsynced.reduce((sum, each) => sum + each, 0),
    refused: count('sync_quarantine', 'true'),
    open: count('sync_conflicts', `"state" = 'open'`),
    memberships: tables.includes('workspace_members') ? membershipsOf(select, userId) : [],
  };
}

function membershipsOf(select: Select, userId: string): OwnMembership[] {
  const rows = select(
    `select m."user_id", m."workspace_id", w."name", m."paused_at" from "workspace_members" m
     join "workspaces" w on w."id" = m."workspace_id" where m."_status" <> 'deleted' and w."_status" <> 'deleted'`,
  );
  return rows
    .filter(([user]) => user === userId)
    .map(([, workspace, name, pausedAt]) => ({
      workspace_id: String(workspace),
      workspace_name: String(name),
      paused_at: pausedAt === null ? null : new Date(Number(pausedAt)).toISOString(),
    }));
}

function checkLeader(folder: string): Check {
  const leads = isLocked(join(folder, 'leader.lock'));
  return good(
    'leader',
    leads
      ? 'A process of this user syncs by itself.'
      : 'No process of this user syncs by itself; commands sync when they run.',
  );
}

/**
 * A process that syncs one database, to be killed at any moment. Reads its task from the environment,
 * says on standard output, a JSON line each, what it has got and done; what it has said has happened.
 */

import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { createConvoyClient } from '@/lib/supabase/client';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { openDevice } from '@/lib/watermelon';
import { createPlatform } from '@/platform/node';
import { openAdapter } from './localDatabase';

export interface ChildTask {
  url: string;
  anonKey: string;
  session: { access_token: string; refresh_token: string };
  userId: string;
  folder: string;
  pageRows: number;
  /** Creates tasks here and syncs, for ever; otherwise syncs until one sync succeeds. */
  milestone?: string;
}

export type ChildSays =
  | { said: 'page'; rows: number; done: number; total: number | null }
  | { said: 'progress'; done: number; total: number | null }
  | { said: 'made'; title: string }
  | { said: 'holds' }
  /** Another live process holds the lock as well. */
  | { said: 'violation'; by: number }
  | { said: 'synced'; error: string | null };

const say = (what: ChildSays): void => void writeSync(1, `${JSON.stringify(what)}\n`);

/** Reports whether another process is inside the lock. */
async function watched<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, 'holder');
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      break;
    } catch {
      const holder = Number(readFileSync(path, 'utf8'));
      if (isAlive(holder)) say({ said: 'violation', by: holder });
      rmSync(path, { force: true });
    }
  }
  say({ said: 'holds' });
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const task = JSON.parse(process.env.CONVOY_CHILD ?? '') as ChildTask;
const client = createConvoyClient(task.url, task.anonKey, {
  persistSession: false,
  autoRefreshToken: false,
  webSocket: WebSocket,
});
await client.auth.setSession(task.session);
const inner = new SupabaseTransport(client);
const platform = createPlatform({ folder: task.folder });
const opened = await openDevice({
  adapter: await openAdapter(task.folder),
  userId: task.userId,
  transport: {
    push: (request, signal) => inner.push(request, signal),
    settle: (request, changes, signal) => inner.settle(request, changes, signal),
    step: (request, signal) => inner.step(request, signal),
    pull: async (request, signal) => {
      const answer = await inner.pull(request, signal);
      if (answer.ok) {
        const rows = Object.values(answer.value.rows).reduce((sum, columns) => sum + columns.id.length, 0);
        const { progress } = device.syncStatus;
        say({ said: 'page', rows, done: progress?.rows ?? 0, total: progress?.total ?? null });
      }
      return answer;
    },
  },
  remote: null,
  autoSync: false,
  pageRows: task.pageRows,
  exclusively: (work, signal) => platform.exclusively('sync', () => watched(task.folder, work), signal),
});
if (!opened.ok) throw new Error(opened.error.message);
const device = opened.value;
device.observeSyncStatus().subscribe(({ progress }) => {
  if (progress) say({ said: 'progress', done: progress.rows, total: progress.total });
});
for (let n = 0; ; n += 1) {
  if (task.milestone) {
    const title = `Child ${process.pid} ${n}`;
    await device.contextService.createTask({ milestone_id: task.milestone, title });
    say({ said: 'made', title });
  }
  const { error } = await device.sync();
  say({ said: 'synced', error: error && `${error.code}: ${error.message}` });
  if (!task.milestone) break;
}
await device.close();
process.exit(0);

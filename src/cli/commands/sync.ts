/** The state of this machine against the server. */

import type { Command } from 'commander';
import { count } from '@/core/count';
import type { SyncResult } from '@/lib/watermelon/sync';
import { exitOf } from '../exits';
import { painted, table } from '../output';
import { type CommonOptions, runAs } from '../run';

export function addSyncCommands(program: Command): void {
  program
    .command('status')
    .description('What waits on this machine, and what somebody has to decide.')
    .action(status);
  program.command('sync').description('Send what waits, and fetch what is new.').action(sync);
}

function status(options: CommonOptions): Promise<void> {
  return runAs(options, async ({ device, profile, print, link }) => {
    const unsynced = await device.countUnsynced();
    const [last] = await device.syncLog();
    const value = {
      user: profile.name,
      url: profile.url,
      workspace_id: link?.workspace_id ?? null,
      project_id: link?.project_id ?? null,
      unsynced,
      lastSync: last ?? null,
    };
    print.result(value, () =>
      table([
        ['user', `${profile.name} at ${profile.url}`],
        ['folder', link ? link.path : 'belongs to no project; convoy link'],
        ['not on the server', unsynced.total === 0 ? painted('green', 'nothing') : String(unsynced.total)],
        ['last sync that did something', last ? new Date(last.started_at).toLocaleString() : 'none yet'],
      ]),
    );
  });
}

function sync(options: CommonOptions): Promise<void> {
  return runAs(options, async ({ device, print }) => {
    const watched = device.observeSyncStatus().subscribe(({ progress }) => {
      if (progress && process.stderr.isTTY) {
        process.stderr.write(`\r${progress.rows}${progress.total ? ` of ${progress.total}` : ''} `);
      }
    });
    const result = await device.sync();
    watched.unsubscribe();
    if (process.stderr.isTTY) process.stderr.write('\r');
    const unsynced = await device.countUnsynced();
    if (result.error) process.exitCode = exitOf(result.error);
    print.result({ ...result, unsynced }, () => told(result));
  });
}

function told({ pushed, pulled, conflicts, rejected, error }: SyncResult): string {
  const done = `${pushed} sent, ${pulled} received, ${count(conflicts, 'conflict')}, ${rejected} refused.`;
  return error ? `${done}\n${painted('red', error.message)}` : done;
}

/**
 * `npm run demo:two-devices`: two devices work on the same workspace, one of them offline; do they
 * end up the same? Real server, real databases, real network requests; exits 1 when they do not.
 */

import { Conflict } from '@/lib/watermelon';
import { SEED } from '../../tests/support/seed';
import { deviceSnapshot, hashOf, serverSnapshot } from '../../tests/support/snapshot';
import { settle, World } from '../../tests/support/world';
import { readOptions } from '../support/options';

const { values: flags } = readOptions({ options: { json: { type: 'boolean', default: false } } });
const tell = (line: string) => {
  if (!flags.json) console.log(line);
};

const world = await World.start();
try {
  const laptop = await world.device('owner');
  const train = await world.device('editor');
  await settle(laptop, train);
  const [a, b] = [laptop.contextService, train.contextService];
  const shared = await a.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'Release checklist',
    description: 'Build\nTest\nShip',
  });
  const doomed = await a.createTask({ milestone_id: SEED.offlineMilestone, title: 'Old spike' });
  await settle(laptop, train);
  tell('Both devices hold the same workspace. The train enters a tunnel.');

  train.online(false);
  await b.updateTask(shared.id, { priority: 'urgent', description: 'Build\nTest on a phone\nShip' });
  await b.updateTask(shared.id, { title: 'Release checklist (from the train)' });
  await b.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'Written in the tunnel',
    parent_task_id: shared.id,
  });
  await b.updateTask(doomed.id, { title: 'Old spike, still wanted' });
  await b.addTaskActivity(shared.id, 'comment', { text: 'No signal, still working.' });
  tell(`Offline, the train wrote ${await pending(train)} records.`);

  await a.updateTask(shared.id, {
    title: 'Release checklist v2',
    description: 'Build\nTest\nShip on Monday',
  });
  await a.updateTaskStage(shared.id, 'PLAN_REVIEW');
  await a.deleteTask(doomed.id);
  await settle(laptop);
  tell('Meanwhile the laptop renamed the task, moved it on, and deleted the old spike.');

  train.online(true);
  await settle(train, laptop);
  tell('The train is out of the tunnel, and both have synced.');

  const hashA = hashOf(await deviceSnapshot(laptop.database));
  const hashB = hashOf(await deviceSnapshot(train.database));
  const hashServer = hashOf(await serverSnapshot(world.stack.backend, laptop.userId));
  const ledgers = await Promise.all(
    [laptop, train].map((device) =>
      device.database
        .get<Conflict>(Conflict.table as never)
        .query()
        .fetch(),
    ),
  );
  const conflicts = ledgers.flat();
  if (flags.json) console.log(JSON.stringify({ hashA, hashB, hashServer, conflicts: conflicts.length }));
  else {
    console.table([
      { where: 'laptop', hash: hashA },
      { where: 'train', hash: hashB },
      { where: 'server', hash: hashServer },
    ]);
    for (const { kind, recordTable, columns } of conflicts) {
      for (const [column, { local, remote, chosen, by }] of Object.entries(columns)) {
        console.log(
          `conflict (${kind}) in ${recordTable}.${column}: ${show(local)} | ${show(remote)} → ${show(chosen)}, by ${by}`,
        );
      }
    }
  }
  const same = hashA === hashB && hashB === hashServer;
  tell(same ? 'All three hold the same.' : 'They differ!');
  process.exitCode = same && conflicts.length > 0 ? 0 : 1;
} finally {
  await world.close();
}

async function pending(device: Awaited<ReturnType<World['device']>>): Promise<number> {
  await device.sync();
  return device.syncStatus.pending;
}

function show(value: unknown): string {
  return JSON.stringify(value);
}

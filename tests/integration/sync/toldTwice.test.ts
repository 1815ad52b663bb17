/** Two people do the same: it happened once, and the feed tells it once. */

import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, type Device, Quarantined } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

async function sharedTask(title: string): Promise<Task> {
  const task = await here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
  await settle(here, there);
  return task;
}

async function told(device: Device, type: string, subject: string): Promise<unknown[]> {
  const feed = await device.database.records('activity_feed').query().fetch();
  return feed
    .filter(({ raw }) => raw.activity_type === type && [raw.task_id, raw.entity_id].includes(subject))
    .sort((a, b) => Number(a.raw.created_at) - Number(b.raw.created_at))
    .map(({ raw }) => JSON.parse(String(raw.details)));
}

/** What a person would have to look at, though nothing is lost. */
async function leftToSettle(device: Device): Promise<unknown[]> {
  const refused = await device.database.of(Quarantined).query().fetch();
  const ledger = await device.database.of(Conflict).query().fetch();
  return [...refused, ...ledger.filter(({ kind }) => kind === 'gone')].map(({ _raw }) => _raw);
}

describe('what two people did alike', () => {
  it('a move to the same stage is told once, and nothing is refused (U30, U5)', async () => {
    const task = await sharedTask('moved twice');
    for (const device of [here, there]) await device.contextService.updateTaskStage(task.id, 'PLAN_REVIEW');
    await here.sync();
    await expectConverged(world, here, there);
    for (const device of [here, there]) {
      expect(await told(device, 'stage_changed', task.id)).toEqual([{ from: 'PLAN', to: 'PLAN_REVIEW' }]);
      expect(await leftToSettle(device)).toEqual([]);
    }
  });

  it('a deletion of the same task is told once, and nothing is refused (U30, U8)', async () => {
    const task = await sharedTask('deleted twice');
    for (const device of [here, there]) await device.contextService.deleteTask(task.id);
    await here.sync();
    await expectConverged(world, here, there);
    for (const device of [here, there]) {
      expect(await told(device, 'task_deleted', task.id)).toHaveLength(1);
      expect(await leftToSettle(device)).toEqual([]);
    }
  });

  it('moves through several stages while offline are told one by one (U30, P-NOLOSS)', async () => {
    const task = await sharedTask('moved on and on');
    for (const stage of ['PLAN_REVIEW', 'IMPLEMENT'])
      await here.contextService.updateTaskStage(task.id, stage);
    await expectConverged(world, here, there);
    for (const device of [here, there]) {
      expect(await told(device, 'stage_changed', task.id)).toEqual([
        { from: 'PLAN', to: 'PLAN_REVIEW' },
        { from: 'PLAN_REVIEW', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: null },
      ]);
    }
  });
});

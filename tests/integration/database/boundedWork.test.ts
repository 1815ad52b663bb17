/** The work of the server grows with the number of changes and of the records around them, not with its square. */

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PushAnswer, PushChange } from '@/core/protocol';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { pushCounted, setPushLimits, type Work } from '../../support/work';
import { APPLIED, link, task, wish } from './deletions';

teamForEachTest();
// A slow machine must not leave some of a batch to the next push (U18).
beforeAll(() => setPushLimits(database, '1 hour'));

const FEW = 40;
const MANY = 4 * FEW;
/** Four times as many changes may take this many times the work. A square would take sixteen times. */
const AT_MOST = 6;

async function tasks(count: number): Promise<string[]> {
  const all = Array.from({ length: count }, (_, n) => task(`${n}`));
  await team.owner.push(all);
  return all.map(({ id }) => id);
}

const chainOf = (ids: readonly string[]) => ids.slice(1).map((id, n) => link(ids[n] ?? '', id));

async function counted(changes: PushChange[]): Promise<Work> {
  const { answer, work } = await pushCounted(team.owner, changes);
  expect(unlike(answer, 'applied')).toEqual([]);
  return work;
}

const unlike = (answer: PushAnswer, outcome: string) =>
  answer.outcomes.filter((one) => one.outcome !== outcome);

async function grows(work: (count: number) => Promise<Work>): Promise<number> {
  const few = await work(FEW);
  const many = await work(MANY);
  return many.reads / few.reads;
}

describe('the rows read', () => {
  it('for a chain of dependencies in one push grow with their number (U12, D35)', async () => {
    expect(await grows(async (count) => counted(chainOf(await tasks(count))))).toBeLessThan(AT_MOST);
  });

  it('for a chain with one link that closes it grow with their number, and that link alone is refused (U12, D35)', async () => {
    const ratio = await grows(async (count) => {
      const ids = await tasks(count);
      const links = chainOf(ids);
      links.splice(count / 2, 0, link(ids.at(-1) ?? '', ids[0] ?? ''));
      const { answer, work } = await pushCounted(team.owner, links);
      expect(unlike(answer, 'applied')).toMatchObject([{ code: 'cycle', column: 'depends_on_task_id' }]);
      return work;
    });
    expect(ratio).toBeLessThan(AT_MOST);
  });

  it('for a restored milestone grow with its tasks and dependencies (U24, U27)', async () => {
    const ratio = await grows(async (count) => {
      const milestone = team.make.insert('milestones', { name: 'm', project_id: team.project });
      const all = Array.from({ length: count }, (_, n) => task(`${n}`, { milestone_id: milestone.id }));
      const deletion_id = randomUUID();
      await team.owner.push([milestone, ...all, ...chainOf(all.map(({ id }) => id))]);
      await team.owner.push([
        team.make.delete('milestones', milestone.id, null, { values: { deletion_id } }),
      ]);
      return counted([wish(deletion_id)]);
    });
    expect(ratio).toBeLessThan(AT_MOST);
  });

  it('for nested deletions that are restored in one push, in any order, grow with their number (U25)', async () => {
    const ratio = await grows(async (count) => {
      const chain: PushChange[] = [];
      for (let n = 0; n < count; n += 1) {
        chain.push(task(`${n}`, { parent_task_id: chain.at(-1)?.id ?? null }));
      }
      await team.owner.push(chain);
      const named = chain.map(({ id }) => ({ id, deletion_id: randomUUID() }));
      const deleted = await team.owner.push(
        named.map(({ id, deletion_id }) => team.make.delete('tasks', id, null, { values: { deletion_id } })),
      );
      expect(unlike(deleted, 'applied')).toEqual([]);
      // Innermost first: each of them needs the next one.
      return counted(named.map(({ deletion_id }) => wish(deletion_id)).reverse());
    });
    expect(ratio).toBeLessThan(AT_MOST);
  });
});

describe('tasks that move together', () => {
  it('take their subtasks along by one statement, however many they are (U29)', async () => {
    const callsFor = async (count: number) => {
      const target = team.make.insert('milestones', { name: 'target', project_id: team.project });
      const ids = await tasks(count);
      const subtasks = ids.map((parent_task_id) => task('subtask', { parent_task_id }));
      await team.owner.push([target, ...subtasks]);
      const { answer, work } = await pushCounted(
        team.owner,
        ids.map((id) => team.make.update('tasks', id, null, { milestone_id: target.id })),
      );
      expect(answer.outcomes).toEqual(ids.map(() => APPLIED));
      expect(answer.effects.rows.tasks?.id).toHaveLength(2 * count);
      return work.calls.move_subtasks;
    };
    expect(await callsFor(MANY)).toBe(await callsFor(FEW));
  });
});

describe('refusals', () => {
  it('spread along a chain without a look at the whole batch for each of them (U11, D35)', async () => {
    const roundsFor = async (count: number) => {
      const chain: PushChange[] = [];
      for (let n = 0; n < count; n += 1) {
        const parent_task_id = chain.at(-1)?.id ?? null;
        chain.push(task(`${n}`, { parent_task_id, ...(n === 0 ? { milestone_id: randomUUID() } : {}) }));
      }
      const { answer, work } = await pushCounted(team.owner, chain);
      expect(answer.outcomes[0]).toMatchObject({ outcome: 'rejected', code: 'missing_parent' });
      expect(answer.outcomes.slice(1)).toEqual(
        chain.slice(0, -1).map(({ id }) => ({ outcome: 'blocked', by: id })),
      );
      return work.calls.still_open;
    };
    expect(await roundsFor(MANY)).toBe(await roundsFor(FEW));
  });

  it('of one change of a group are traced to it by halving the group (U12)', async () => {
    const writesFor = async (count: number) => {
      const group = Array.from({ length: count }, (_, n) => ({
        ...task(n === count - 2 ? 'x'.repeat(501) : `${n}`),
        group: 1,
      }));
      const { answer, work } = await pushCounted(team.owner, group);
      expect(unlike(answer, 'rejected')).toEqual([]);
      expect(answer.outcomes.at(-2)).toMatchObject({ code: 'too_long', column: 'title' });
      return work.calls.insert_rows ?? 0;
    };
    expect((await writesFor(MANY)) - (await writesFor(FEW))).toBeLessThanOrEqual(2);
  });
});

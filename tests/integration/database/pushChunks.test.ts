/** A push that takes long ends by itself, and the next one goes on (U18). */

import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PushChange, PushOutcome } from '@/core/protocol';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { setPushLimits } from '../../support/work';
import { APPLIED, isLive, restore, task, wish } from './deletions';

teamForEachTest();
beforeAll(() => setPushLimits(database, '1 hour'));
afterEach(() => setPushLimits(database, '1 hour'));

const REFUSED = { outcome: 'rejected', code: 'too_long' };
const tooLong = (more: object = {}) => task('x'.repeat(501), more);
const untried = (changes: readonly PushChange[]) => changes.map(({ id }) => ({ outcome: 'blocked', by: id }));
const remove = (table: 'projects' | 'tasks', id: string, deletion_id: string = randomUUID()) =>
  team.make.delete(table, id, null, { values: { deletion_id } });

/** Pushes as a device does: what is blocked by itself once more, until nothing is. @returns the outcomes of each push */
async function pushAll(changes: PushChange[]): Promise<PushOutcome[][]> {
  const pushes: PushOutcome[][] = [];
  for (let left = changes; left.length > 0; ) {
    const { outcomes } = await team.owner.push(left);
    pushes.push(outcomes);
    const rest = left.filter((_, n) => outcomes[n]?.outcome === 'blocked');
    if (rest.length === left.length) throw new Error('The push gets nowhere.');
    left = rest;
  }
  return pushes;
}

describe('a push whose time is over', () => {
  it('has written what is one chunk, whatever that took (U18)', async () => {
    await setPushLimits(database, '0');
    const changes = Array.from({ length: 300 }, (_, n) => task(`${n}`));
    expect((await team.owner.push(changes)).outcomes).toEqual(changes.map(() => APPLIED));
  });

  it('has written a first chunk of 2,000 changes, and leaves the others (U18)', async () => {
    await setPushLimits(database, '0');
    const changes = Array.from({ length: 2_040 }, (_, n) => task(`${n}`));
    const [first, second] = await pushAll(changes);
    expect(first?.slice(0, 2_000)).toEqual(Array(2_000).fill(APPLIED));
    expect(first?.slice(2_000)).toEqual(untried(changes.slice(2_000)));
    expect(second).toEqual(Array(40).fill(APPLIED));
  });

  it('has deleted what makes one chunk with all that goes along, and of more one deletion alone (U18)', async () => {
    const projects = ['a', 'b'].map((name) => team.make.insert('projects', { name }));
    const milestones = projects.map(({ id }) =>
      team.make.insert('milestones', { name: 'm', project_id: id }),
    );
    const tasks = milestones.map(({ id }) => team.make.insert('tasks', { title: 't', milestone_id: id }));
    await team.owner.push([...projects, ...milestones, ...tasks]);
    const named = [randomUUID(), randomUUID()] as const;
    const deletes = projects.map(({ id }, n) => remove('projects', id, named[n]));
    await setPushLimits(database, '0', 5);
    expect((await team.owner.push(deletes)).outcomes).toMatchObject([APPLIED, ...untried(deletes.slice(1))]);
    await team.owner.push(deletes.slice(1));
    expect((await team.owner.push(named.map((id) => wish(id)))).outcomes).toMatchObject([
      APPLIED,
      { outcome: 'blocked' },
    ]);
    await setPushLimits(database, '0', 6);
    expect((await team.owner.push(named.map((id) => wish(id)))).outcomes).toEqual([APPLIED, APPLIED]);
    const again = projects.map(({ id }) => remove('projects', id));
    expect((await team.owner.push(again)).outcomes).toEqual([APPLIED, APPLIED]);
  });

  it('leaves the rest of a chunk with a fault, and each push gets further (U18)', async () => {
    await setPushLimits(database, '0');
    const changes = [task('one'), tooLong(), task('two'), task('three'), tooLong()];
    const pushes = await pushAll(changes);
    expect(pushes[0]).toMatchObject([APPLIED, ...untried(changes.slice(1))]);
    expect(pushes.length).toBeLessThanOrEqual(changes.length);
    expect(
      await database.query(`select 1 from public.tasks where title in ('one', 'two', 'three')`),
    ).toHaveLength(3);
  });

  it('leaves whole groups, and what needs them (U18)', async () => {
    await setPushLimits(database, '0');
    const bad = tooLong();
    const parent = task('parent');
    const note = { ...team.make.insert('activity_feed', { activity_type: 'comment' }), group: parent.group };
    const child = task('child', { parent_task_id: parent.id });
    const [first, second] = await pushAll([bad, parent, note, child]);
    expect(first).toMatchObject([REFUSED, ...untried([parent, note, child])]);
    expect(second).toEqual([APPLIED, APPLIED, APPLIED]);
  });

  it('has written edits before deletions, and each deletion is a chunk of its own (U18)', async () => {
    const projects = ['a', 'b'].map((name) => team.make.insert('projects', { name }));
    await team.owner.push(projects);
    await setPushLimits(database, '0', 1);
    const deletes = projects.map(({ id }) => remove('projects', id));
    const edit = team.make.update('tasks', team.task, null, { title: 'edited' });
    const pushes = await pushAll([...deletes, edit]);
    expect(pushes).toEqual([
      [...untried(deletes), APPLIED],
      [APPLIED, ...untried(deletes.slice(1))],
      [APPLIED],
    ]);
  });
});

describe('a push in several chunks', () => {
  it('deletes subtasks before their task, so that each is restored by itself (U18, U23)', async () => {
    const [parent, child] = [task('parent'), randomUUID()];
    await team.owner.push([parent, { ...task('child', { parent_task_id: parent.id }), id: child }]);
    const [ofParent, ofChild] = [randomUUID(), randomUUID()];
    await setPushLimits(database, '0', 1);
    await pushAll([remove('tasks', parent.id, ofParent), remove('tasks', child, ofChild)]);
    expect(await restore(ofParent)).toEqual(APPLIED);
    expect(await isLive('tasks', child)).toBe(false);
    expect(await restore(ofChild)).toEqual(APPLIED);
    expect(await isLive('tasks', child)).toBe(true);
  });

  it('restores what is above first (U18, U25)', async () => {
    const child = task('child', { parent_task_id: team.task });
    await team.owner.push([child]);
    const [below, above, top] = [randomUUID(), randomUUID(), randomUUID()];
    await team.owner.push([remove('tasks', child.id, below), remove('tasks', team.task, above)]);
    await team.owner.push([remove('projects', team.project, top)]);
    await setPushLimits(database, '0', 1);
    const wishes = [wish(below), wish(top), wish(above)];
    const [first, second, third] = await pushAll(wishes);
    expect(first).toMatchObject([{ outcome: 'blocked' }, APPLIED, { outcome: 'blocked' }]);
    expect(second).toMatchObject([{ outcome: 'blocked' }, APPLIED]);
    expect(third).toEqual([APPLIED]);
    expect(await isLive('tasks', child.id)).toBe(true);
  });

  it('writes groups of any depth after the groups they need, whatever their numbers (U12)', async () => {
    const chain: PushChange[] = [];
    for (let n = 0; n < 30; n += 1) {
      chain.push({ ...task(`${n}`, { parent_task_id: chain.at(-1)?.id ?? null }), group: 900 - n });
    }
    const { outcomes } = await team.owner.push([...chain, tooLong()]);
    expect(outcomes).toEqual([...chain.map(() => APPLIED), expect.objectContaining(REFUSED)]);
  });
});

/** Short keys as the server gives them. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { Changes } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

const newTask = (values = {}, more: Partial<PushChange> = {}) =>
  team.make.insert('tasks', { title: 'New', milestone_id: team.milestone, ...values }, more);

const keyOf = async (id: string, table = 'tasks') =>
  (await database.query<{ key: string }>(`select key from public.${table} where id = $1::uuid`, [id]))[0]
    ?.key;

const keyed = (outcome: unknown) => (outcome as { key?: string }).key;

async function projectWith(key: string | null, name = 'Field trips'): Promise<{ id: string; key: string }> {
  const project = team.make.insert('projects', { name, ...(key !== null && { key }) });
  const outcome = await team.owner.pushOne(project);
  expect(outcome).toMatchObject({ outcome: 'applied' });
  return { id: project.id, key: keyed(outcome) ?? '' };
}

async function milestoneIn(project: string): Promise<string> {
  const milestone = team.make.insert('milestones', { name: 'M', project_id: project });
  expect(await team.owner.pushOne(milestone)).toMatchObject({ outcome: 'applied' });
  return milestone.id;
}

describe('keys of projects', () => {
  it.each([
    ['Field trips', 'FIELD'],
    ['Überseehäfen', 'UBERSEEHAF'],
    ['3D models', 'D'],
    ['über-App', 'UBER'],
    ['東京', 'P'],
    ['42', 'P'],
  ])('are made of the name %s (Y1)', async (name, key) => {
    expect((await projectWith(null, name)).key).toBe(key);
  });

  it('are suffixed where another project has them, deleted ones too (Y1)', async () => {
    const first = await projectWith('FIELD');
    expect((await projectWith(null)).key).toBe('FIELD2');
    await team.owner.pushOne(team.make.delete('projects', first.id, 9_999));
    expect((await projectWith('FIELD')).key).toBe('FIELD3');
    expect((await projectWith('ABCDEFGHIJ')).key).toBe('ABCDEFGHIJ');
    expect((await projectWith('ABCDEFGHIJ')).key).toBe('ABCDEFGHI2');
    const other = new Changes(randomUUID());
    const elsewhere = other.insert('projects', { name: 'x', key: 'FIELD' });
    const { outcomes } = await team.stranger.push([
      other.insert('workspaces', { name: 'W' }, { id: other.workspace }),
      elsewhere,
    ]);
    expect(keyed(outcomes[1])).toBe('FIELD');
  });

  it('are suffixed within one push, and tell their device (Y1, Y6)', async () => {
    const projects = [1, 2, 3].map(() => team.make.insert('projects', { name: 'Same' }));
    const { outcomes, effects } = await team.owner.push(projects);
    expect(outcomes.map(keyed)).toEqual(['SAME', 'SAME2', 'SAME3']);
    // Defaults that were not sent make their rows effects; with them sent, none travels.
    const full = { name: 'Same', tech_stack: [], status: 'active' };
    const answer = await team.owner.push([team.make.insert('projects', full)]);
    expect(keyed(answer.outcomes[0])).toBe('SAME4');
    expect(answer.effects.rows.projects).toBeUndefined();
    expect(effects.rows.projects?.key).toHaveLength(3);
  });

  it('are changed by an update, in capitals, and suffixed likewise (Y1, Y6)', async () => {
    await projectWith('TAKEN');
    const update = (key: string | null) =>
      team.owner.pushOne(team.make.update('projects', team.project, 9_999, { key }));
    expect(await update(' field ')).toMatchObject({ outcome: 'applied', key: 'FIELD' });
    expect(await update('taken')).toMatchObject({ outcome: 'applied', key: 'TAKEN2' });
    expect(await update('TAKEN2')).toMatchObject({ outcome: 'applied', key: 'TAKEN2' });
    expect(await update(null)).toMatchObject({ outcome: 'applied', key: 'PROJECT' });
    for (const key of ['1A', 'A-B', '', 'ABCDEFGHIJK', 'É', 'FIELD-42']) {
      expect(await update(key), key).toMatchObject({
        outcome: 'rejected',
        code: 'invalid_value',
        column: 'key',
      });
    }
    expect(
      await team.agent.pushOne(team.make.update('projects', team.project, null, { key: 'X' })),
    ).toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('keys of tasks', () => {
  it('count up in the order of a push, whatever its size (Y2, Y6)', async () => {
    expect(await keyOf(team.task)).toBe('PROJECT-1');
    const full = {
      current_stage: 'PLAN',
      status: 'todo',
      priority: 'medium',
      sort_order: 0,
    };
    const tasks = Array.from({ length: 300 }, () => newTask(full));
    const { outcomes, effects } = await team.owner.push(tasks);
    expect(outcomes.map(keyed)).toEqual(tasks.map((_, n) => `PROJECT-${n + 2}`));
    expect(effects.rows.tasks).toBeUndefined();
    expect(await keyOf(tasks[299]?.id ?? '')).toBe('PROJECT-301');
    expect(keyed(await team.agent.pushOne(newTask()))).toBe('PROJECT-302');
  });

  it('count for each prefix where the tasks of two projects alternate (Y2)', async () => {
    const other = await milestoneIn((await projectWith('FIELD')).id);
    const tasks = [0, 1, 2, 3, 4].map((n) => newTask(n % 2 ? { milestone_id: other } : {}));
    const { outcomes } = await team.owner.push(tasks);
    expect(outcomes.map(keyed)).toEqual(['PROJECT-2', 'FIELD-1', 'PROJECT-3', 'FIELD-2', 'PROJECT-4']);
  });

  it('are not used up by changes that are refused (Y2)', async () => {
    const refused = newTask({ current_stage: 'NOWHERE' });
    const { outcomes } = await team.owner.push([newTask(), refused, newTask()]);
    expect(outcomes.map(keyed)).toEqual(['PROJECT-2', undefined, 'PROJECT-3']);
  });

  it('are the same where a batch is sent again (Y6, U2)', async () => {
    const tasks = [newTask(), newTask()];
    const first = await team.owner.push(tasks);
    team.owner.batch -= 1;
    const again = await team.owner.push(tasks);
    expect(again.outcomes).toEqual(first.outcomes);
    // A device whose ledger row is gone sends it as another batch.
    team.owner.device = randomUUID();
    expect((await team.owner.push(tasks)).outcomes.map(keyed)).toEqual(first.outcomes.map(keyed));
  });

  it('are not given again, nor when the deletion was purged (Y3)', async () => {
    const last = newTask();
    await team.owner.pushOne(last);
    await team.owner.pushOne(team.make.delete('tasks', last.id, 9_999));
    await database.transaction(async (connection) => {
      await connection.execute("set local convoy.purge = 'on'");
      await connection.query('delete from public.tasks where id = $1::uuid', [last.id]);
    });
    expect(keyed(await team.owner.pushOne(newTask()))).toBe('PROJECT-3');
    // Nor by a client that names it.
    expect(keyed(await team.owner.pushOne(newTask({ key: 'PROJECT-2' })))).toBe('PROJECT-4');
  });

  it('are kept through moves, other prefixes and restores, and changed by nobody (Y4)', async () => {
    const other = await milestoneIn((await projectWith('FIELD')).id);
    const [deletion] = [randomUUID()];
    await team.owner.pushOne(team.make.update('tasks', team.task, 9_999, { milestone_id: other }));
    await team.owner.pushOne(team.make.update('projects', team.project, 9_999, { key: 'ZZZ' }));
    const remove = team.make.delete('tasks', team.task, 9_999, { values: { deletion_id: deletion ?? '' } });
    await team.owner.pushOne(remove);
    await team.owner.pushOne(
      team.make.update('deletions', deletion ?? '', null, { restored_at: '2026-01-01T00:00:00Z' }),
    );
    expect(await keyOf(team.task)).toBe('PROJECT-1');
    expect(keyed(await team.owner.pushOne(newTask()))).toBe('ZZZ-1');
    for (const user of [team.owner, team.editor, team.agent]) {
      const update = team.make.update('tasks', team.task, null, { key: 'FIELD-9' });
      expect(await user.pushOne(update)).toMatchObject({
        outcome: 'rejected',
        code: 'immutable',
        column: 'key',
      });
    }
    // A project that gets a prefix of before goes on counting.
    expect((await projectWith('PROJECT')).key).toBe('PROJECT');
  });

  it('of a prefix that another project has now go on with its numbers (Y3)', async () => {
    await team.owner.pushOne(team.make.update('projects', team.project, 9_999, { key: 'NEW' }));
    const milestone_id = await milestoneIn((await projectWith('PROJECT')).id);
    expect(keyed(await team.owner.pushOne(newTask({ milestone_id })))).toBe('PROJECT-2');
  });

  it('are brought by tasks that are made again, and the counter passes them (Y5)', async () => {
    const bring = async (key: string) => keyed(await team.owner.pushOne(newTask({ key })));
    expect(await bring('PROJECT-10')).toBe('PROJECT-10');
    expect(keyed(await team.owner.pushOne(newTask()))).toBe('PROJECT-11');
    // One that was left out is free for the task that brings it, once.
    expect(await bring('PROJECT-5')).toBe('PROJECT-5');
    expect(await bring('PROJECT-5')).toBe('PROJECT-12');
    // Of a prefix that no project has any more.
    expect(await bring('OLD-3')).toBe('OLD-3');
    const tasks = ['PROJECT-20', 'PROJECT-18', null, 'PROJECT-19', 'PROJECT-20'].map((key) =>
      newTask(key === null ? {} : { key }),
    );
    const { outcomes } = await team.owner.push(tasks);
    expect(outcomes.map(keyed)).toEqual([
      'PROJECT-20',
      'PROJECT-18',
      'PROJECT-21',
      'PROJECT-19',
      'PROJECT-22',
    ]);
  });

  it('are neither taken over from another task nor used up by who forges one (Y5)', async () => {
    const forge = async (key: unknown) => team.agent.pushOne(newTask({ key: key as string }));
    expect(keyed(await forge('PROJECT-1'))).toBe('PROJECT-2');
    expect(keyed(await forge('PROJECT-9999999999'))).toBe('PROJECT-3');
    expect(keyed(await forge('PROJECT-100004'))).toBe('PROJECT-4');
    for (const key of ['x', 'PROJECT', 'PROJECT-0', 'PROJECT-01', '-1', 7, 'PROJECT-1; drop table tasks']) {
      expect(await forge(key), String(key)).toMatchObject({ outcome: 'rejected', code: 'invalid_value' });
    }
    expect(keyed(await team.owner.pushOne(newTask()))).toBe('PROJECT-5');
  });

  it('are given to tasks that the service inserts (Y2)', async () => {
    await database.query(
      `insert into public.tasks (id, workspace_id, milestone_id, title)
         select gen_random_uuid(), $1::uuid, $2::uuid, 'T' from generate_series(1, 3)`,
      [team.workspace, team.milestone],
    );
    expect(keyed(await team.owner.pushOne(newTask()))).toBe('PROJECT-5');
  });
});

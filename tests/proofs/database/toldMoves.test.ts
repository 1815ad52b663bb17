/** What `stage_changed` activities tell is what the changes of their groups do; what tells of nothing is passed over. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json, PushAnswer, PushChange } from '@/core/protocol';
import type { SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { pushCounted } from '../../support/work';

teamForEachTest();

const activity = (activity_type: string, values: Record<string, Json> = {}, group = 0) =>
  team.make.insert('activity_feed', { task_id: team.task, activity_type, ...values }, { group });
const move = (current_stage: string, base: number | null = null, group = 0) =>
  team.make.update('tasks', team.task, base, { current_stage }, { group });
const tale = (from: string | null, to: string | null, group = 0) =>
  activity('stage_changed', { details: { from, to } }, group);

/** What the feed tells of moves, in the order of the changes. */
async function feed(): Promise<unknown[]> {
  const rows = await database.query<{ details: unknown }>(
    `select details from public.activity_feed
      where workspace_id = $1::uuid and activity_type = 'stage_changed' and deleted_at is null order by revision, created_at, id`,
    [team.workspace],
  );
  return rows.map(({ details }) => details);
}

/** Expects that these activities are on no server, and that their device is told to remove them. */
async function expectPassedOver(answer: PushAnswer, ...passed: PushChange[]): Promise<void> {
  expect([...(answer.effects.deleted.activity_feed ?? [])].sort()).toEqual(passed.map(({ id }) => id).sort());
  const ids = `{${passed.map(({ id }) => id).join()}}`;
  const rows = await database.query(
    `select id from public.activity_feed where id = any ($1::uuid[]) and (deleted_at is null or details <> '{}')`,
    [ids],
  );
  expect(rows).toEqual([]);
}

describe('a move that is told', () => {
  it('is the one that the change makes: other tales are passed over, from every role (U30, P-CHECKPOINT)', async () => {
    const stages = ['PLAN_REVIEW', 'PLAN'];
    for (const who of [team.owner, team.editor, team.agent]) {
      const before = await feed();
      const forged = [tale('PLAN', 'COMMIT'), tale(null, null), tale('COMMIT', 'COMMIT')];
      const bare = activity('stage_changed', { details: 'x' });
      const answer = await who.push([move('PLAN_REVIEW'), ...forged, bare]);
      expect(answer.outcomes.map(({ outcome }) => outcome)).toEqual(Array(5).fill('applied'));
      await expectPassedOver(answer, ...forged, bare);
      expect(await feed()).toEqual(before);
      await team.owner.push([move(stages[1] ?? '')]);
    }
  });

  it('to the stage that the task has is none (U30)', async () => {
    for (const who of [team.editor, team.agent]) {
      const nothing = tale('PLAN', 'PLAN');
      const pretended = tale('PLAN_REVIEW', 'PLAN');
      const answer = await who.push([move('PLAN'), nothing, pretended]);
      await expectPassedOver(answer, nothing, pretended);
    }
    expect(await feed()).toEqual([]);
  });

  it('that two users made alike is told once, by who was first (U5, U30)', async () => {
    await team.owner.push([move('PLAN_REVIEW', team.revision), tale('PLAN', 'PLAN_REVIEW')]);
    const second = tale('PLAN', 'PLAN_REVIEW');
    const answer = await team.editor.push([move('PLAN_REVIEW', team.revision), second]);
    expect(answer.outcomes[0]).toMatchObject({ outcome: 'merged' });
    await expectPassedOver(answer, second);
    expect(await feed()).toEqual([{ from: 'PLAN', to: 'PLAN_REVIEW' }]);
  });

  it('begins where the task was, whatever its device believed, which is told (U14, U30)', async () => {
    await team.owner.push([move('PLAN_REVIEW')]);
    const told = tale('PLAN', 'IMPLEMENT');
    const answer = await team.editor.push([move('IMPLEMENT'), told]);
    const corrected = { from: 'PLAN_REVIEW', to: 'IMPLEMENT' };
    expect(answer.effects.rows.activity_feed).toMatchObject({ id: [told.id], details: [corrected] });
    expect(await feed()).toEqual([corrected]);
  });

  it('by way of other stages is told one by one; no agent tells of a stage past a checkpoint (U30, P-CHECKPOINT)', async () => {
    const steps = [tale('PLAN', 'PLAN_REVIEW'), tale('PLAN_REVIEW', 'IMPLEMENT')];
    const answer = await team.editor.push([move('IMPLEMENT'), ...steps]);
    expect(answer.effects.deleted).toEqual({});
    expect(await feed()).toHaveLength(2);
    await team.owner.push([move('PLAN', null)]);
    const detour = [tale('PLAN', 'COMMIT'), tale('COMMIT', 'PLAN_REVIEW')];
    const lied = await team.agent.push([move('PLAN_REVIEW'), ...detour]);
    await expectPassedOver(lied, detour[0] as PushChange);
    expect((await feed()).slice(2)).toEqual([{ from: 'PLAN', to: 'PLAN_REVIEW' }]);
  });

  it('of a new task is checked like any other where checkpoints bind its author (U30, P-CHECKPOINT)', async () => {
    const create = (current_stage?: string) =>
      team.make.insert(
        'tasks',
        { title: 't', milestone_id: team.milestone, ...(current_stage && { current_stage }) },
        { group: 0 },
      );
    const task = create();
    const forged = activity('stage_changed', { task_id: task.id, details: { from: 'PLAN', to: 'COMMIT' } });
    await expectPassedOver(await team.agent.push([task, forged]), forged);
    const moved = create('PLAN_REVIEW');
    const details = { from: 'PLAN', to: 'PLAN_REVIEW' };
    await team.agent.push([moved, activity('stage_changed', { task_id: moved.id, details })]);
    expect(await feed()).toEqual([details]);
  });

  it('is judged by the changes of its own group, in the order of the batch (U30)', async () => {
    const answer = await team.editor.push([
      move('PLAN_REVIEW', null, 0),
      tale('PLAN', 'PLAN_REVIEW', 0),
      move('IMPLEMENT', null, 1),
      tale('PLAN_REVIEW', 'IMPLEMENT', 1),
    ]);
    expect(answer.effects.deleted).toEqual({});
    expect(await feed()).toHaveLength(2);
  });
});

describe('activities that are passed over', () => {
  const deleted = (id = team.task) =>
    activity('task_deleted', { task_id: null, entity_type: 'task', entity_id: id });

  it('are those of a deletion that somebody else has made already (U8, U30)', async () => {
    await team.owner.push([team.make.delete('tasks', team.task, null, { group: 0 }), deleted()]);
    const told = deleted();
    const answer = await team.editor.push([team.make.delete('tasks', team.task, null, { group: 0 }), told]);
    expect(answer.outcomes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
    await expectPassedOver(answer, told);
  });

  it('are those of older devices that come without their change; newer ones are told (U19, U30)', async () => {
    const update = () => team.make.update('tasks', team.task, null, { title: randomUUID() }, { group: 0 });
    const untold = () => activity('dependency_added');
    for (const protocol of [1, 2, 3]) {
      const activity = untold();
      const answer = await team.editor.push([update(), activity], { protocol });
      expect(answer.outcomes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
      await expectPassedOver(answer, activity);
    }
    expect((await team.editor.push([update(), untold()])).outcomes).toMatchObject([
      { code: 'group' },
      { code: 'reserved_activity' },
    ]);
    // Others may write no more by it than otherwise.
    for (const who of [team.viewer, team.stranger]) {
      const { outcomes } = await who.push([update(), untold()], { protocol: 1 });
      expect(outcomes.map((one) => 'code' in one && one.code)).toEqual(['forbidden', 'forbidden']);
    }
  });

  it('are refused where their workspace could not be made (U30)', async () => {
    const id = randomUUID();
    const own = {
      ...team.make.insert('workspaces', { name: 'x'.repeat(300) }),
      id,
      workspace_id: id,
      group: 0,
    };
    const told = { ...activity('task_created', { task_id: null }, 1), workspace_id: id };
    const { outcomes } = await team.stranger.push([own, told], { protocol: 1 });
    expect(outcomes).toMatchObject([{ code: 'too_long' }, { code: 'reserved_activity' }]);
  });

  it('reach other devices as tombstones of what they never had, and are given back to nobody (U30, P-PRIVATE)', async () => {
    const told = tale('PLAN', 'COMMIT');
    await team.editor.push([move('PLAN_REVIEW'), told]);
    const { pages } = await team.viewer.pullAll();
    expect(pages.map(({ deleted }) => deleted)).toEqual([{ activity_feed: [told.id] }]);
    expect(pages[0]?.rows.activity_feed).toBeUndefined();
    const rows = await database.as(team.editor.id, (connection) =>
      connection.query('select id from public.activity_feed where id = $1::uuid', [told.id]),
    );
    expect(rows).toEqual([]);
    expect(await team.editor.pushOne(told)).toMatchObject({ outcome: 'rejected' });
  });
});

it('what is read to judge activities grows with the batch, and not with the feed (U30, D34)', async () => {
  const readsBy = async (who: SyncUser) => {
    const changes = Array.from({ length: 20 }, (_, n) => [
      team.make.update('tasks', randomUUID(), null, { title: 'gone' }, { group: n }),
      activity('task_updated', {}, n),
      team.make.delete('task_dependencies', randomUUID(), null, { group: n }),
    ]).flat();
    const { answer, work } = await pushCounted(who, [...changes, move('PLAN'), tale('PLAN', 'PLAN')]);
    expect(answer.outcomes[0]).toMatchObject({ outcome: 'gone' });
    return work.reads;
  };
  const grow = (rows: number) =>
    database.query(
      `with a as (
         insert into public.activity_feed (id, workspace_id, task_id, activity_type)
           select gen_random_uuid(), $1::uuid, $2::uuid, 'stage_changed' from generate_series(1, $3::integer)
       ), k as (
         insert into convoy.conflicts (user_id, record_id, workspace_id, table_name)
           select $4::uuid, gen_random_uuid(), $1::uuid, 'tasks' from generate_series(1, $3::integer)
       )
       insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id, deleted_at)
         select gen_random_uuid(), $1::uuid, $2::uuid, $2::uuid, now() from generate_series(1, $3::integer)`,
      [team.workspace, team.task, rows, team.owner.id],
    );
  // Beyond the size up to which reading a whole table is cheaper than its index.
  await grow(10_000);
  const few = await readsBy(team.owner);
  await grow(20_000);
  expect(await readsBy(team.owner)).toBeLessThan(1.5 * few);
});

it('the answer to a move that is passed over is replayed as it was (U2)', async () => {
  const changes = [move('PLAN'), tale('PLAN', 'COMMIT')];
  const first = await team.editor.push(changes);
  team.editor.batch -= 1;
  const second = await team.editor.push(changes);
  expect(second.outcomes).toEqual(first.outcomes);
  expect(second.effects).toEqual(first.effects);
  expect(first.outcomes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
});

/** What others wrote into the feed is data to check, never something to act on. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import type { Task } from '@/domain/entities';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { Conflict, Quarantined } from '@/lib/watermelon';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let person: TestDevice;
let agent: TestDevice;
let editor: TestDevice;

beforeAll(async () => {
  world = await World.start();
  person = await world.device('owner');
  editor = await world.device('editor');
  agent = await world.device('agent', { kind: 'agent' });
  await settle(person, editor, agent);
});
afterAll(() => world.close());

async function sharedTask(values: Partial<Task> = {}): Promise<Task> {
  const task = await person.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'original',
    ...values,
  });
  await settle(person, editor, agent);
  return task;
}

/** An entry as a hand would write it into the local database, past the Context Service. @returns its id */
async function forge(
  device: TestDevice,
  about: { task_id?: string; entity_type?: string; entity_id?: string },
  details: unknown,
): Promise<string> {
  const entry = await device.database.write(() =>
    device.database.records('activity_feed').create((draft) => {
      draft.setColumn('workspace_id', SEED.workspace);
      for (const [name, value] of Object.entries(about)) draft.setColumn(name, value);
      draft.setColumn('activity_type', 'conflict_settled');
      draft.setColumn('details', JSON.stringify(details));
    }),
  );
  return entry.id;
}

const told = (table: string, record_id: string, columns: Record<string, [from: Json, other: Json]>) => ({
  table,
  record_id,
  columns: Object.fromEntries(
    Object.entries(columns).map(([name, [from, other]]) => [
      name,
      { base: null, local: other, remote: from, chosen: from, by: 'remote' },
    ]),
  ),
});

describe('a forged entry', () => {
  it('of an agent is not taken by the server, so that nobody can press anything (U30, P-CHECKPOINT)', async () => {
    const task = await sharedTask();
    const id = await forge(
      agent,
      { task_id: task.id },
      told('tasks', task.id, { current_stage: ['PLAN', 'COMMIT'] }),
    );
    await settle(agent, person);
    expect(await person.database.findRecord('activity_feed', id)).toBeNull();
    expect(await agent.database.findRecord('activity_feed', id)).toBeNull();
    expect(await agent.database.of(Quarantined).query().fetch()).toEqual([]);
  });

  it('moves no task past a checkpoint unless a person confirms that very checkpoint (P-CHECKPOINT)', async () => {
    const task = await sharedTask();
    const id = await forge(
      person,
      { task_id: task.id },
      told('tasks', task.id, { current_stage: ['PLAN', 'IMPLEMENT'] }),
    );
    const ask = { code: 'unconfirmed_checkpoint', detail: { column: 'PLAN_REVIEW' } };
    await expect(person.reverseSettlement(id)).rejects.toMatchObject(ask);
    await expect(person.reverseSettlement(id, ['CODE_REVIEW'])).rejects.toMatchObject(ask);
    expect((await person.contextService.getLocalTask(task.id))?.current_stage).toBe('PLAN');
    await person.reverseSettlement(id, ['PLAN_REVIEW']);
    expect((await person.contextService.getLocalTask(task.id))?.current_stage).toBe('IMPLEMENT');

    // Each of several is confirmed by itself.
    const far = await sharedTask();
    const jump = told('tasks', far.id, { current_stage: ['PLAN', 'COMMIT'] });
    const both = await forge(person, { task_id: far.id }, jump);
    await expect(person.reverseSettlement(both, ['PLAN_REVIEW'])).rejects.toMatchObject({
      code: 'unconfirmed_checkpoint',
      detail: { column: 'CODE_REVIEW' },
    });
    await person.reverseSettlement(both, ['PLAN_REVIEW', 'CODE_REVIEW']);
    expect((await person.contextService.getLocalTask(far.id))?.current_stage).toBe('COMMIT');
    const done = await forge(
      person,
      { task_id: task.id },
      told('tasks', task.id, { status: ['todo', 'done'] }),
    );
    await expect(person.reverseSettlement(done)).rejects.toMatchObject({ code: 'unconfirmed_checkpoint' });
  });

  it('is not reversed by an agent or viewer where it passes a checkpoint or changes what they may not (P-CHECKPOINT)', async () => {
    const task = await sharedTask();
    const jump = told('tasks', task.id, { current_stage: ['PLAN', 'COMMIT'] });
    const id = await forge(agent, { task_id: task.id }, jump);
    await expect(agent.reverseSettlement(id, ['PLAN_REVIEW'])).rejects.toMatchObject({ code: 'checkpoint' });
    const viewer = await world.device('viewer');
    await settle(viewer);
    const title = await forge(
      viewer,
      { task_id: task.id },
      told('tasks', task.id, { title: ['original', 'x'] }),
    );
    await expect(viewer.reverseSettlement(title)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('changes no member, no other record, no other workspace, and no column that people do not edit (P-PRIVATE)', async () => {
    const task = await sharedTask();
    const other = await sharedTask({ title: 'another' });
    const elsewhere = await person.contextService.createWorkspace({ name: 'Elsewhere' });
    const [member] = await person.contextService.getMembers(SEED.workspace);
    const bad = { code: 'bad_value' };
    const attempts = [
      [{ task_id: task.id }, told('tasks', other.id, { title: ['another', 'x'] }), bad],
      [{ task_id: task.id }, told('workspaces', SEED.workspace, { name: ['x', 'y'] }), bad],
      [
        { entity_type: 'workspace_members', entity_id: member?.id ?? '' },
        told('workspace_members', member?.id ?? '', { role: [member?.role ?? '', 'owner'] }),
        bad,
      ],
      [
        { entity_type: 'workspaces', entity_id: elsewhere.id },
        told('workspaces', elsewhere.id, { name: ['Elsewhere', 'renamed'] }),
        { code: 'not_found' },
      ],
      [{ task_id: task.id }, told('tasks', task.id, { revision: [1, 2] }), bad],
      // Another workflow has other checkpoints.
      [{ task_id: task.id }, told('tasks', task.id, { workflow_id: [null, STANDARD_WORKFLOW_ID] }), bad],
      [{ task_id: task.id }, { ...told('tasks', task.id, {}), columns: { title: 7 } }, bad],
    ] as const;
    for (const [about, details, error] of attempts) {
      const id = await forge(person, about, details);
      await expect(person.reverseSettlement(id), JSON.stringify(details)).rejects.toMatchObject(error);
    }
    expect((await person.contextService.getWorkspaces()).map(({ name }) => name)).toContain('Elsewhere');
  });
});

describe('a real entry', () => {
  async function collide(task: Task): Promise<string> {
    await person.contextService.updateTask(task.id, { title: 'mine' });
    await editor.contextService.updateTask(task.id, { title: 'theirs' });
    await person.sync();
    await settle(editor, person);
    const context = await person.contextService.getTaskContext(task.id);
    const entry = context?.activities.find(({ activity_type }) => activity_type === 'conflict_settled');
    return entry?.id ?? '';
  }

  it('is reversed only while the record has the values that it says were chosen (D10)', async () => {
    const task = await sharedTask();
    const id = await collide(task);
    await editor.contextService.updateTask(task.id, { title: 'newer' });
    await settle(editor, person);
    await expect(person.reverseSettlement(id)).rejects.toMatchObject({ code: 'conflict' });
    expect((await person.contextService.getLocalTask(task.id))?.title).toBe('newer');
  });

  it('names no device (P-PRIVATE)', async () => {
    const task = await sharedTask();
    await collide(task);
    const { activities } = (await person.contextService.getTaskContext(task.id)) ?? { activities: [] };
    expect(JSON.stringify(activities)).not.toContain('device');
  });
});

describe('an approval', () => {
  it('is asked again where a person changed the stage’s columns, though an agent wrote the record last (D12)', async () => {
    const task = await sharedTask({ current_stage: 'PLAN_REVIEW' });
    await editor.contextService.updateTaskStage(task.id, 'IMPLEMENT');
    await person.contextService.updateTask(task.id, { status: 'cancelled' });
    await settle(person, agent);
    await agent.contextService.updateTask(task.id, { description: 'edited by the agent' });
    await settle(agent, editor);
    const [entry] = (await editor.database.of(Conflict).query().fetch()).filter(
      ({ recordId, kind }) => recordId === task.id && kind === 'columns',
    );
    expect(entry?.columns.current_stage?.by).not.toBe('approval');
  });

  it('is asked where the author of the other edit is not known (D12)', async () => {
    const task = await sharedTask({ current_stage: 'PLAN_REVIEW' });
    await editor.contextService.updateTaskStage(task.id, 'IMPLEMENT');
    const blocked = await world.stack.backend.transaction((connection) =>
      connection.query(`update public.tasks set status = 'blocked' where id = $1::uuid`, [task.id]),
    );
    expect(blocked.ok).toBe(true);
    await settle(editor);
    const [entry] = (await editor.database.of(Conflict).query().fetch()).filter(
      ({ recordId }) => recordId === task.id,
    );
    expect(entry).toMatchObject({ state: 'open', columns: { current_stage: { by: 'open' } } });
    expect((await editor.contextService.getLocalTask(task.id))?.current_stage).toBe('PLAN_REVIEW');
  });
});

describe('an open conflict of a user who was made a viewer', () => {
  it('is discarded, and not settled by an edit that nobody would take (D24)', async () => {
    const task = await sharedTask({ description: 'red' });
    await person.contextService.updateTask(task.id, { description: 'green' });
    await editor.contextService.updateTask(task.id, { description: 'blue' });
    await person.sync();
    await settle(editor, person);
    const [entry] = (await editor.database.of(Conflict).query().fetch()).filter(
      ({ recordId, state }) => recordId === task.id && state === 'open',
    );
    const members = await person.contextService.getMembers(SEED.workspace);
    const membership = members.find(({ user_id }) => user_id === editor.userId)?.id ?? '';
    await person.contextService.updateMemberRole(membership, 'viewer');
    await settle(person, editor);
    await expect(editor.settleConflict(entry?.id ?? '', 'mine')).rejects.toMatchObject({ code: 'forbidden' });
    const before = await editor.countUnsynced();
    expect(await editor.discardLost(entry?.id ?? '')).toBe(true);
    expect((await editor.countUnsynced()).conflicts).toBe(before.conflicts - 1);
    await person.contextService.updateMemberRole(membership, 'editor');
    await settle(person, editor);
  });
});

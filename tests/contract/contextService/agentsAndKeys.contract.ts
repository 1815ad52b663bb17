/** Agents that people make, and what tasks are called. */

import { describe, expect, it } from 'vitest';
import type { CreatedAgent } from '@/domain/agents';
import { derivedDigits } from '@/domain/keys';
import { SEED } from '../../support/seed';
import { expectError, rejected, type Section, UNKNOWN_ID, validation } from './world';

export const agentsAndKeysContract: Section = (world) => {
  describe('agents', () => {
    const create = async (who: 'owner' | 'editor', name = 'Bot'): Promise<CreatedAgent> => {
      const made = await world()[who].createAgent(SEED.workspace, name);
      await world().settle();
      return made;
    };

    it('are made by owners and editors, and can sign in (A1, A2)', async () => {
      for (const who of ['owner', 'editor'] as const) {
        const { member, email, secret } = await create(who, ' Bot ');
        expect(member).toMatchObject({
          workspace_id: SEED.workspace,
          role: 'agent',
          kind: 'agent',
          display_name: 'Bot',
          made_by: world().userId(who),
          paused_at: null,
        });
        expect(email).toMatch(/^agent-.*@agents\.convoy\.invalid$/);
        expect(secret.length).toBeGreaterThan(40);
        const members = await world().viewer.getMembers(SEED.workspace);
        expect(members).toContainEqual(member);
        await world().owner.revokeAgent(member.id);
      }
    });

    it('are not made by others, nor elsewhere, nor without a name (A1)', async () => {
      for (const who of ['viewer', 'agent', 'outsider'] as const) {
        await expectError(world()[who].createAgent(SEED.workspace, 'Bot'), rejected('forbidden'));
      }
      await expectError(world().owner.createAgent(UNKNOWN_ID, 'Bot'), rejected('forbidden'));
      await expectError(world().owner.createAgent(SEED.workspace, ' '), validation('required', 'name'));
      await expectError(
        world().owner.createAgent(SEED.workspace, 'x'.repeat(201)),
        validation('too_long', 'name'),
      );
      await expectError(world().owner.createAgent(SEED.workspace, '\0'), validation('bad_character', 'name'));
      await expectError(world().owner.createAgent('nothing', 'Bot'), validation('bad_id', 'workspace_id'));
    });

    it('are paused, released and revoked by their maker and by owners (A3, A6)', async () => {
      const { member } = await create('editor');
      const { member: ofOwner } = await create('owner');
      for (const who of ['viewer', 'agent', 'outsider'] as const) {
        await expectError(world()[who].pauseAgent(member.id, true), validation('not_found', 'id'));
        await expectError(world()[who].revokeAgent(member.id), validation('not_found', 'id'));
      }
      await expectError(world().editor.revokeAgent(ofOwner.id), validation('not_found', 'id'));
      expect((await world().editor.pauseAgent(member.id, true)).paused_at).not.toBeNull();
      await world().settle();
      const [paused] = (await world().viewer.getMembers(SEED.workspace)).filter(({ id }) => id === member.id);
      expect(paused?.paused_at).not.toBeNull();
      expect((await world().owner.pauseAgent(member.id, false)).paused_at).toBeNull();
      await world().editor.revokeAgent(member.id);
      await world().owner.revokeAgent(ofOwner.id);
      await world().settle();
      const left = await world().viewer.getMembers(SEED.workspace);
      expect(left.some(({ id }) => id === member.id || id === ofOwner.id)).toBe(false);
      const former = await world().viewer.getFormerMembers(SEED.workspace);
      expect(former).toContainEqual(
        expect.objectContaining({ id: member.id, made_by: world().userId('editor') }),
      );
      await expectError(world().owner.revokeAgent(member.id), validation('not_found', 'id'));
    });

    it('are told that they are paused by each write, and go on afterwards (A7)', async () => {
      const task = await world().task();
      const members = await world().owner.getMembers(SEED.workspace);
      const { id = '' } = members.find(({ user_id }) => user_id === world().userId('agent')) ?? {};
      await world().owner.pauseAgent(id, true);
      await world().settle();
      const agent = world().agent;
      for (const write of [
        () => agent.createTask({ milestone_id: task.milestone_id, title: 'No' }),
        () => agent.updateTask(task.id, { title: 'No' }),
        () => agent.addTaskActivity(task.id, 'note', {}),
        () => agent.updateTaskStage(task.id, 'PLAN_REVIEW'),
      ]) {
        await expectError(write(), rejected('paused'));
      }
      expect((await agent.getTaskContext(task.id))?.task.title).toBe('A task');
      await world().owner.pauseAgent(id, false);
      await world().settle();
      expect((await agent.updateTask(task.id, { title: 'Yes' })).title).toBe('Yes');
    });
  });

  describe('keys', () => {
    it('are given to new tasks, and found by everybody who may see them (Y2, Y6, Y9)', async () => {
      const task = await world().task();
      expect(task.key).toMatch(/^[A-Z][A-Z0-9]{0,9}-[1-9]\d*$/);
      const { key } = task;
      for (const who of ['owner', 'editor', 'viewer', 'agent'] as const) {
        for (const name of [key ?? '', ` ${key?.toLowerCase()} `, task.id, task.id.toUpperCase()]) {
          expect((await world()[who].findTask(name))?.id, `${who} ${name}`).toBe(task.id);
        }
        for (const prefix of ['FIELD-', 'gone-', '']) {
          expect((await world()[who].findTask(`${prefix}~${derivedDigits(task.id)}`))?.id).toBe(task.id);
        }
      }
      for (const name of [key ?? '', `~${derivedDigits(task.id)}`, task.id]) {
        expect(await world().outsider.findTask(name)).toBeNull();
      }
      const next = await world().task({ milestone_id: task.milestone_id });
      expect(Number(next.key?.split('-')[1])).toBe(Number(key?.split('-')[1]) + 1);
    });

    it('are not found for what is no task, is deleted, or is no reference (Y9)', async () => {
      const task = await world().task();
      const { owner } = world();
      expect(await owner.findTask('NOWHERE-1')).toBeNull();
      expect(await owner.findTask('~0000000')).toBeNull();
      expect(await owner.findTask(UNKNOWN_ID)).toBeNull();
      expect(await owner.findTask(task.key ?? '', { workspace_id: UNKNOWN_ID })).toBeNull();
      expect((await owner.findTask(task.key ?? '', { workspace_id: SEED.workspace }))?.id).toBe(task.id);
      for (const none of ['', 'FIELD', 'FIELD-0', '~', 'a b']) {
        await expectError(owner.findTask(none), validation('bad_value', 'reference'));
      }
      await owner.deleteTask(task.id);
      expect(await owner.findTask(task.key ?? '')).toBeNull();
      await world().settle();
      expect(await world().viewer.findTask(task.key ?? '')).toBeNull();
    });

    it('of several workspaces are ambiguous, and told with their names (Y9)', async () => {
      const { owner } = world();
      const made: string[] = [];
      for (const name of ['One', 'Two']) {
        const workspace = await owner.createWorkspace({ name });
        const project = await owner.createProject({ workspace_id: workspace.id, name: 'Twin', key: 'twin' });
        const milestone = await owner.createMilestone({ project_id: project.id, name: 'M' });
        const task = await owner.createTask({ milestone_id: milestone.id, title: `In ${name}` });
        made.push(task.id);
        await world().settle();
      }
      const [one = '', two = ''] = made;
      await expectError(owner.findTask('twin-1'), {
        ...validation('ambiguous', 'reference'),
        candidates: [
          expect.objectContaining({ id: one, key: 'TWIN-1', title: 'In One', workspace_name: 'One' }),
          expect.objectContaining({ id: two, key: 'TWIN-1', title: 'In Two', workspace_name: 'Two' }),
        ],
      } as never);
      const { workspace_id = '' } = (await owner.findTask(two)) ?? {};
      expect((await owner.findTask('twin-1', { workspace_id }))?.id).toBe(two);
    });

    it('of projects are given, changed, refused and suffixed alike (Y1)', async () => {
      const { owner } = world();
      const workspace_id = SEED.workspace;
      const name = 'Crane checks';
      const project = await owner.createProject({ workspace_id, name, key: ' cr4ne ' });
      const twin = await owner.createProject({ workspace_id, name, key: 'CR4NE' });
      const third = await owner.createProject({ workspace_id, name });
      await world().settle();
      const keys = new Map((await world().viewer.getProjects(workspace_id)).map(({ id, key }) => [id, key]));
      expect([project, twin, third].map(({ id }) => keys.get(id))).toEqual(['CR4NE', 'CR4NE2', 'CRANE']);
      await owner.updateProject(third.id, { key: 'cr4ne' });
      await world().settle();
      const after = (await owner.getProjects(workspace_id)).find(({ id }) => id === third.id);
      expect(after?.key).toBe('CR4NE3');
      for (const key of ['4A', 'A-B', '', 'ABCDEFGHIJK', 'Ä']) {
        await expectError(owner.createProject({ workspace_id, name, key }), validation('bad_value', 'key'));
        await expectError(owner.updateProject(third.id, { key }), validation('bad_value', 'key'));
      }
    });

    it('of tasks are written by nobody (Y4)', async () => {
      const task = await world().task();
      const forged = { key: 'FIELD-1' };
      await expectError(
        world().owner.updateTask(task.id, forged as object),
        validation('unknown_field', 'key'),
      );
      const data = { milestone_id: task.milestone_id, title: 'T', ...forged };
      await expectError(world().owner.createTask(data), validation('unknown_field', 'key'));
    });
  });
};

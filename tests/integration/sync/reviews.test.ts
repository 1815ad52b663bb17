/** Reviews and comments between devices: approved offline, deleted while another device is away, never sent. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusedBefore, requireTaken } from '@/cli/taken';
import { Quarantined } from '@/lib/watermelon/models';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

const SECRET = 'sk-live-pasted';

let world: World;
let owner: TestDevice;
let agent: TestDevice;
let editor: TestDevice;
beforeAll(async () => {
  world = await World.start();
  [owner, agent, editor] = [
    await world.device('owner'),
    await world.device('agent'),
    await world.device('editor'),
  ];
  await settle(owner, agent, editor);
});
afterAll(() => world.close());

/** A task that waits for review, with the agent's request, on all devices. */
async function waiting() {
  const milestone_id = SEED.offlineMilestone;
  const { id } = await owner.contextService.createTask({ milestone_id, title: 'Reviewed' });
  await settle(owner, agent);
  const asked = await agent.contextService.requestReview(id, { text: 'Look.', stage: 'PLAN_REVIEW' });
  await settle(owner, agent, editor);
  return { id, request: asked.id };
}

const refusedOn = async (device: TestDevice) =>
  (await device.database.of(Quarantined).query().fetch()).map(({ code }) => code);

/** All that a device has stored of its feed. */
const storedFeed = async ({ database }: TestDevice) =>
  JSON.stringify((await database.records('activity_feed').query().fetch()).map(({ raw }) => raw));

describe('an approval given without a network', () => {
  it('is told as not taken where somebody else settled the request before it was sent (V3)', async () => {
    const { id, request } = await waiting();
    const service = editor.contextService;
    const settled = {
      review: { id: request, task_id: id },
      by: editor.userId,
      before: await refusedBefore(service, id),
    };
    editor.online(false);
    await service.approveReview(id, request);
    await requireTaken(service, settled);
    await owner.contextService.returnReview(id, request, 'Not yet.');
    await settle(owner);
    editor.online(true);
    await settle(editor, owner);
    await expect(requireTaken(service, settled)).rejects.toMatchObject({
      detail: { code: 'review_outdated' },
    });
    expect(await service.getReview(id)).toMatchObject({ state: 'returned' });
  });

  it.each([
    ['review_outdated', (id: string) => agent.contextService.requestReview(id, { text: 'Better.' })],
    ['text_changed', (id: string) => agent.contextService.updateTask(id, { description: 'Another plan.' })],
  ] as const)(
    'is set aside as %s, with its move, where the agent was faster (V3, V4, D7)',
    async (code, meanwhile) => {
      const { id, request } = await waiting();
      owner.online(false);
      await owner.contextService.approveReview(id, request);
      await meanwhile(id);
      await settle(agent);
      owner.online(true);
      await settle(owner, agent);
      expect(await refusedOn(owner)).toContain(code);
      for (const device of [owner, agent]) {
        expect((await device.contextService.getTaskContext(id))?.task.current_stage).toBe('PLAN_REVIEW');
        expect(await device.contextService.getReview(id)).toMatchObject({ state: 'open' });
      }
    },
  );

  it('that somebody else has moved the task under is an open conflict, and approves nothing (V3, D15)', async () => {
    const { id, request } = await waiting();
    owner.online(false);
    await owner.contextService.approveReview(id, request);
    await editor.contextService.returnReview(id, request, 'Say more.');
    await settle(editor);
    owner.online(true);
    await settle(owner, editor);
    expect((await owner.contextService.getTaskContext(id))?.task.current_stage).toBe('PLAN');
    expect(await owner.contextService.getReview(id)).toMatchObject({
      state: 'returned',
      reason: 'Say more.',
    });
  });

  it('and the next one, both unsynced, reach the server as they were (V2)', async () => {
    const { id, request } = await waiting();
    owner.online(false);
    await owner.contextService.returnReview(id, request, 'Once more.');
    const again = await owner.contextService.requestReview(id, { text: 'Done.', stage: 'PLAN_REVIEW' });
    await owner.contextService.approveReview(id, again.id);
    owner.online(true);
    await settle(owner, agent);
    expect(await agent.contextService.getReview(id)).toMatchObject({ id: again.id, state: 'approved' });
    expect((await agent.contextService.getTaskContext(id))?.task.current_stage).toBe('IMPLEMENT');
    const told = (await agent.contextService.getTaskContext(id))?.activities ?? [];
    expect(told.filter(({ activity_type }) => activity_type.startsWith('review_'))).toHaveLength(4);
  });
});

describe('a deleted comment', () => {
  it('loses its text on every device, also where an edit of it was on its way (F4)', async () => {
    const { id } = await waiting();
    const comment = await agent.contextService.addComment(id, SECRET);
    await settle(owner, agent, editor);
    agent.online(false);
    await agent.contextService.editComment(comment.id, `${SECRET} again`);
    await owner.contextService.deleteComment(comment.id);
    expect(JSON.stringify(await owner.contextService.getTaskContext(id))).not.toContain(SECRET);
    await settle(owner, editor);
    agent.online(true);
    await settle(agent, owner, editor);
    for (const device of [owner, editor, agent]) {
      expect(await storedFeed(device)).not.toContain(SECRET);
      expect(await device.contextService.getComments(id)).toMatchObject([{ is_deleted: true, text: '' }]);
    }
  });

  it('that was never sent leaves no text on its own device either, and none is sent (F4)', async () => {
    const { id } = await waiting();
    editor.online(false);
    const comment = await editor.contextService.addComment(id, SECRET);
    await editor.contextService.editComment(comment.id, `${SECRET} again`);
    await editor.contextService.deleteComment(comment.id);
    expect(await storedFeed(editor)).not.toContain(SECRET);
    editor.online(true);
    await settle(editor, owner);
    expect(await owner.contextService.getComments(id)).toMatchObject([{ id: comment.id, is_deleted: true }]);
    expect(await refusedOn(editor)).toEqual([]);
  });

  it('of which the server has the text keeps it, unread, until the server has the deletion (F4)', async () => {
    const { id } = await waiting();
    const comment = await agent.contextService.addComment(id, 'Mine.');
    await settle(owner, agent, editor);
    owner.online(false);
    await owner.contextService.deleteComment(comment.id);
    expect(await owner.contextService.getComments(id)).toMatchObject([{ is_deleted: true, text: '' }]);
    expect(await storedFeed(owner)).toContain('Mine.');
    owner.online(true);
    await settle(owner, agent);
    expect(await storedFeed(owner)).not.toContain('Mine.');
  });
});

import { describe, expect, it } from 'vitest';
import type { ReviewRequest } from '@/domain/reviews';
import { expectError, rejected, type Section, UNKNOWN_ID, validation } from './world';

export const reviewsContract: Section = (world) => {
  /** A task that waits at the first checkpoint, with a request of the agent's. */
  const waiting = async (request: Partial<ReviewRequest> = {}) => {
    const { agent, task, settle } = world();
    const { id } = await task({ title: 'Reviewed', description: 'The plan.' });
    const asked = await agent.requestReview(id, { text: 'Please look.', stage: 'PLAN_REVIEW', ...request });
    await settle();
    return { id, request: asked.id };
  };

  describe('a request for review', () => {
    it('names stage, text, branch, commit and links, and moves the task along where it is told to (V1)', async () => {
      const { agent, owner, feed, userId } = world();
      const links = ['https://example.com/pull/7', 'http://localhost:3000/x?y=1#z'];
      const { id, request } = await waiting({ branch: 'feature/field', commit: '0a1b2c3d', links });
      expect((await owner.getTaskContext(id))?.task.current_stage).toBe('PLAN_REVIEW');
      const review = await owner.getReview(id);
      expect(review).toEqual({
        id: request,
        task_id: id,
        stage: 'PLAN_REVIEW',
        text: 'Please look.',
        branch: 'feature/field',
        commit: '0a1b2c3d',
        links,
        requested_by: userId('agent'),
        requested_at: review?.requested_at,
        state: 'open',
        reason: null,
        settled_by: null,
        settled_at: null,
        text_changed: false,
        previous: null,
      });
      expect((await feed(agent, id)).map(({ activity_type }) => activity_type)).toEqual([
        'task_created',
        'stage_changed',
        'review_requested',
      ]);
      const { task } = world();
      expect(await owner.getReview((await task()).id)).toBeNull();
      expect(await owner.getReview(UNKNOWN_ID)).toBeNull();
    });

    it.each([
      [{ text: ' ' }, 'required', 'text'],
      [{ text: 'x'.repeat(20_001) }, 'too_long', 'text'],
      [{ text: 'x', branch: 'x'.repeat(256) }, 'too_long', 'branch'],
      [{ text: 'x', commit: 'HEAD' }, 'bad_value', 'commit'],
      [{ text: 'x', links: ['javascript:alert(1)'] }, 'bad_value', 'links'],
      [{ text: 'x', links: ['https://a.example/ two'] }, 'bad_value', 'links'],
      [{ text: 'x', links: Array.from({ length: 21 }, () => 'https://a.example') }, 'bad_value', 'links'],
      [{ text: 'x', stage: 'IMPLEMENT' }, 'bad_value', 'stage'],
      [{ text: 'x', colour: 'red' }, 'unknown_field', 'colour'],
    ])('is refused with %j: %s (V1)', async (request, code, field) => {
      const { editor, task } = world();
      const { id } = await task({ current_stage: 'PLAN_REVIEW' });
      // Past the checkpoint, too, where the stage is the fault: an editor may go there.
      await expectError(editor.requestReview(id, request as never), validation(code, field));
    });

    it('is made where the task waits at a checkpoint alone (V1)', async () => {
      const { editor, task } = world();
      const { id } = await task();
      await expectError(editor.requestReview(id, { text: 'x' }), validation('bad_value', 'stage'));
    });

    it('is refused to viewers and strangers (V1)', async () => {
      const { viewer, outsider } = world();
      const { id } = await waiting();
      await expectError(viewer.requestReview(id, { text: 'x' }), rejected('forbidden'));
      await expectError(outsider.requestReview(id, { text: 'x' }), validation('not_found', 'task_id'));
      expect(await outsider.getReview(id)).toBeNull();
    });
  });

  describe('an approval', () => {
    it('moves the task past the checkpoint and names the request, whoever of owner and editor gives it (V2)', async () => {
      const { owner, editor, settle, feed, userId } = world();
      for (const [account, service] of [
        ['owner', owner],
        ['editor', editor],
      ] as const) {
        const { id, request } = await waiting();
        expect(await service.approveReview(id, request)).toMatchObject({ current_stage: 'IMPLEMENT' });
        await settle();
        const told = (await feed(owner, id)).slice(-2);
        const types = Object.fromEntries(told.map((one) => [one.activity_type, one.details]));
        expect(types).toEqual({
          stage_changed: { from: 'PLAN_REVIEW', to: 'IMPLEMENT' },
          review_approved: { request },
        });
        const settled = { state: 'approved', settled_by: userId(account), reason: null };
        expect(await owner.getReview(id)).toMatchObject(settled);
      }
    });

    it('goes to a later stage where it says so, and tells the checkpoints that it jumps (V2, V6)', async () => {
      const { owner, settle, feed } = world();
      const { id, request } = await waiting();
      await owner.approveReview(id, request, { stage: 'COMMIT' });
      await settle();
      const move = (await feed(owner, id)).find(
        ({ activity_type, details }) =>
          activity_type === 'stage_changed' && (details as { to: string }).to === 'COMMIT',
      );
      expect(move?.details).toEqual({
        from: 'PLAN_REVIEW',
        to: 'COMMIT',
        jumped: ['CODE_REVIEW'],
        reason: null,
      });
      const again = await waiting();
      await expectError(
        owner.approveReview(again.id, again.request, { stage: 'PLAN' }),
        validation('bad_value', 'stage'),
      );
      await expectError(
        owner.approveReview(again.id, again.request, { stage: 'SHIP' }),
        validation('unknown_stage', 'current_stage'),
      );
    });

    it('is refused to an agent, a viewer and a stranger (V2)', async () => {
      const { agent, viewer, outsider, owner } = world();
      const { id, request } = await waiting();
      await expectError(agent.approveReview(id, request), rejected('checkpoint'));
      await expectError(viewer.approveReview(id, request), rejected('forbidden'));
      await expectError(outsider.approveReview(id, request), validation('not_found', 'task_id'));
      await expectError(agent.returnReview(id, request, 'No.'), rejected('checkpoint'));
      expect(await owner.getReview(id)).toMatchObject({ state: 'open' });
    });

    it('is refused where there is a newer request, or no such one (V3)', async () => {
      const { owner, agent, settle } = world();
      const { id, request } = await waiting();
      const newer = await agent.requestReview(id, { text: 'Now with tests.' });
      await settle();
      await expectError(owner.approveReview(id, request), rejected('review_outdated'));
      await expectError(owner.returnReview(id, request, 'No.'), rejected('review_outdated'));
      await expectError(owner.approveReview(id, UNKNOWN_ID), validation('not_found', 'request_id'));
      await expectError(owner.approveReview(id, 'x'), validation('bad_id', 'request_id'));
      expect(await owner.approveReview(id, newer.id)).toMatchObject({ current_stage: 'IMPLEMENT' });
      await settle();
    });

    it('is refused where the request is settled, also where the task is back at the checkpoint (V3)', async () => {
      const { owner, settle } = world();
      const { id, request } = await waiting();
      await owner.approveReview(id, request);
      await settle();
      await owner.updateTaskStage(id, 'PLAN_REVIEW');
      await settle();
      await expectError(owner.approveReview(id, request), rejected('review_outdated'));
    });

    it('is refused where title or description changed since, and after a new request is not (V4)', async () => {
      const { owner, agent, settle } = world();
      for (const changes of [{ title: 'Another' }, { description: 'Another plan.' }]) {
        const { id, request } = await waiting();
        await agent.updateTask(id, changes);
        await settle();
        expect(await owner.getReview(id)).toMatchObject({ text_changed: true });
        await expectError(owner.approveReview(id, request), rejected('text_changed'));
        await expectError(owner.returnReview(id, request, 'No.'), rejected('text_changed'));
        const anew = await agent.requestReview(id, { text: 'Changed.' });
        await settle();
        expect(await owner.approveReview(id, anew.id)).toMatchObject({ current_stage: 'IMPLEMENT' });
        await settle();
      }
    });

    it('expects what the person has seen, as every update may (V4)', async () => {
      const { owner } = world();
      const { id, request } = await waiting();
      const seen = { expected: { description: 'What the page showed.' } };
      await expectError(owner.approveReview(id, request, seen), { kind: 'conflict', code: 'stale' } as never);
    });
  });

  describe('a return', () => {
    it('moves the task back with its reason, which is required (V5)', async () => {
      const { owner, settle, userId } = world();
      const { id, request } = await waiting();
      await expectError(owner.returnReview(id, request, ' '), validation('required', 'reason'));
      const moved = await owner.returnReview(id, request, 'Say how it is tested.');
      expect(moved.current_stage).toBe('PLAN');
      await settle();
      const settled = { state: 'returned', reason: 'Say how it is tested.', settled_by: userId('owner') };
      expect(await owner.getReview(id)).toMatchObject(settled);
    });
  });

  describe('a move past a checkpoint without an approval', () => {
    it('records which checkpoints it jumped, and the reason that was given (V6)', async () => {
      const { owner, task, settle, feed } = world();
      const { id } = await task();
      await owner.updateTaskStage(id, 'IMPLEMENT', undefined, { reason: 'A fix of one line.' });
      await owner.updateTaskStage(id, 'VALIDATE');
      await owner.updateTask(id, { status: 'done' });
      await settle();
      const told = (await feed(owner, id)).slice(1).map(({ details }) => details);
      expect(told).toEqual([
        { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: 'A fix of one line.' },
        { from: 'IMPLEMENT', to: 'VALIDATE' },
        expect.objectContaining({
          fields: ['status', 'completion_date'],
          jumped: ['CODE_REVIEW'],
          reason: null,
        }),
      ]);
      const long = { reason: 'x'.repeat(10_001) };
      await expectError(owner.updateTaskStage(id, 'PLAN', undefined, long), validation('too_long', 'reason'));
    });
  });
};

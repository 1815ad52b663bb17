/** What waits for a user: the same, whoever answers. What a device alone sets aside is empty here. */

import { describe, expect, it } from 'vitest';
import type { ContextService } from '@/domain/contextService';
import { INBOX_TEXT, type Inbox } from '@/domain/inbox';
import { SEED } from '../../support/seed';
import type { Account, Section } from './world';

export const inboxContract: Section = (world) => {
  const reviewsOf = ({ reviews, team }: Inbox, id: string) => ({
    own: reviews.filter(({ task }) => task.id === id),
    team: team.filter(({ task }) => task.id === id),
  });
  const place = async (service: ContextService, id: string) => {
    const { own, team } = reviewsOf(await service.getInbox(), id);
    return own.length > 0 ? 'own' : team.length > 0 ? 'team' : 'none';
  };
  const places = async (id: string) => {
    const { owner, editor, viewer, agent, outsider } = world();
    const found = await Promise.all([owner, editor, viewer, agent, outsider].map((one) => place(one, id)));
    return found.join(' ');
  };
  const messagesOf = async (account: Account, taskId: string) => {
    const { questions, mentions } = await world()[account].getInbox();
    const texts = (list: typeof questions) =>
      list.filter(({ task }) => task.id === taskId).map(({ text }) => text);
    return { questions: texts(questions), mentions: texts(mentions) };
  };

  describe('reviews', () => {
    it('wait for all who may approve, and stand under the team for others (I1, I2)', async () => {
      const { agent, owner, task, settle, userId } = world();
      const { id } = await task({ title: 'To review' });
      expect(await places(id)).toBe('none none none none none');
      const asked = await agent.requestReview(id, {
        text: 'x'.repeat(INBOX_TEXT + 1),
        branch: 'main',
        stage: 'PLAN_REVIEW',
      });
      await settle();
      expect(await places(id)).toBe('own own team team none');
      const [found] = reviewsOf(await owner.getInbox(), id).own;
      const stored = await owner.getReview(id);
      expect(found).toEqual({
        task: {
          id,
          workspace_id: SEED.workspace,
          key: expect.stringMatching(/^FIELD-\d+$/),
          title: 'To review',
          current_stage: 'PLAN_REVIEW',
          status: 'in_progress',
          priority: 'medium',
          assignee_id: null,
          claimed_by: null,
        },
        request: {
          id: asked.id,
          text: 'x'.repeat(INBOX_TEXT),
          branch: 'main',
          commit: null,
          requested_by: userId('agent'),
          requested_at: stored?.requested_at,
        },
        reviewers: { by: 'all', user_id: null },
        since: stored?.requested_at,
      });
    });

    it('wait for the human assignee alone, but not for one who may not approve (I1)', async () => {
      const { agent, owner, task, settle, userId } = world();
      const { id } = await task({ assignee_id: userId('editor') });
      await agent.requestReview(id, { text: 'Look.', stage: 'PLAN_REVIEW' });
      await settle();
      expect(await places(id)).toBe('team own team team none');
      for (const account of ['viewer', 'agent'] as const) {
        await owner.updateTask(id, { assignee_id: userId(account) });
        await settle();
        expect(await places(id)).toBe('own own team team none');
      }
    });

    it('wait for the maker of the agent that works on the task, and for all once that agent is gone (I1)', async () => {
      const { editor, owner, backend, task, settle } = world();
      const { member } = await editor.createAgent(SEED.workspace, 'Worker');
      const { id } = await task({ current_stage: 'PLAN_REVIEW' });
      const raised = await backend.transaction((connection) =>
        connection.query(
          `update public.tasks set claimed_by = $1, claim_id = 'x', claimed_until = now() + interval '1 hour' where id = $2`,
          [member.user_id, id],
        ),
      );
      expect(raised.ok).toBe(true);
      await settle();
      expect(await places(id)).toBe('team own team team none');
      const [found] = reviewsOf(await editor.getInbox(), id).own;
      expect(found).toMatchObject({ request: null, reviewers: { by: 'maker' } });
      await owner.revokeAgent(member.id);
      await settle();
      expect(await places(id)).toBe('own own team team none');
    });

    it('end with the approval, the return and the move, and name no request of before (I2)', async () => {
      const { agent, owner, editor, task, settle } = world();
      const { id } = await task();
      const first = await agent.requestReview(id, { text: 'One.', stage: 'PLAN_REVIEW' });
      await settle();
      await owner.returnReview(id, first.id, 'No.');
      await settle();
      expect(await places(id)).toBe('none none none none none');
      await editor.updateTaskStage(id, 'PLAN_REVIEW');
      await settle();
      const [moved] = reviewsOf(await owner.getInbox(), id).own;
      expect(moved?.request).toBeNull();
      const second = await agent.requestReview(id, { text: 'Two.' });
      await settle();
      expect(reviewsOf(await owner.getInbox(), id).own[0]?.request?.id).toBe(second.id);
      await owner.approveReview(id, second.id);
      await settle();
      expect(await places(id)).toBe('none none none none none');
    });

    it('end where the task is cancelled or deleted, or its milestone is over (I2)', async () => {
      const { owner, task, settle } = world();
      const [cancelled, deleted, over] = [await task(), await task(), await task()];
      for (const { id } of [cancelled, deleted, over]) await owner.updateTaskStage(id, 'PLAN_REVIEW');
      await settle();
      expect(await place(owner, cancelled.id)).toBe('own');
      await owner.updateTask(cancelled.id, { status: 'cancelled' });
      await owner.deleteTask(deleted.id);
      await owner.updateMilestone(over.milestone_id, { status: 'completed' });
      await settle();
      for (const { id } of [cancelled, deleted, over]) expect(await place(owner, id)).toBe('none');
    });
  });

  describe('questions and mentions', () => {
    it('of a user wait until they are answered (I3)', async () => {
      const { agent, editor, owner, task, settle, userId } = world();
      const { id } = await task();
      const asked = await agent.askQuestion(id, 'Which one?', { to: userId('editor') });
      await settle();
      expect((await messagesOf('editor', id)).questions).toEqual(['Which one?']);
      expect((await messagesOf('owner', id)).questions).toEqual([]);
      await agent.editComment(asked.id, 'Which of them?');
      await settle();
      expect((await messagesOf('editor', id)).questions).toEqual(['Which of them?']);
      const answer = await owner.answerQuestion(asked.id, 'The first.');
      await settle();
      expect((await messagesOf('editor', id)).questions).toEqual([]);
      await owner.deleteComment(answer.id);
      await settle();
      expect((await messagesOf('editor', id)).questions).toEqual(['Which of them?']);
      await editor.answerQuestion(asked.id, 'The second.');
      await settle();
      expect((await messagesOf('editor', id)).questions).toEqual([]);
    });

    it('of comments wait until the user writes something on the task (I4)', async () => {
      const { agent, editor, owner, task, settle, userId } = world();
      const { id } = await task();
      const mentions = [userId('editor')];
      await editor.addComment(id, 'Mine.', { mentions });
      const first = await agent.addComment(id, 'Look here.', { mentions });
      await settle();
      expect((await messagesOf('editor', id)).mentions).toEqual(['Look here.']);
      expect((await messagesOf('owner', id)).mentions).toEqual([]);
      await agent.editComment(first.id, 'Look there.');
      await settle();
      expect((await messagesOf('editor', id)).mentions).toEqual(['Look there.']);
      await owner.addComment(id, 'No answer of theirs.');
      await settle();
      expect((await messagesOf('editor', id)).mentions).toEqual(['Look there.']);
      await editor.addComment(id, 'I see.');
      await settle();
      expect((await messagesOf('editor', id)).mentions).toEqual([]);
    });

    it('follow edits: a mention that is added waits, one that is taken out or deleted does not (I4)', async () => {
      const { agent, owner, task, settle, userId } = world();
      const { id } = await task();
      const mentions = [userId('editor')];
      const plain = await agent.addComment(id, 'Plain.');
      const taken = await agent.addComment(id, 'Taken out.', { mentions });
      const gone = await owner.addComment(id, 'Deleted.', { mentions });
      await settle();
      await agent.editComment(plain.id, 'With a mention.', { mentions });
      await agent.editComment(taken.id, 'Taken out.', { mentions: [] });
      await owner.deleteComment(gone.id);
      await settle();
      expect((await messagesOf('editor', id)).mentions).toEqual(['With a mention.']);
    });

    it('are nobody else’s, and go with their task (I3, I4)', async () => {
      const { agent, owner, task, settle, userId } = world();
      const { id } = await task();
      await agent.askQuestion(id, 'Still?', { to: userId('viewer') });
      await agent.addComment(id, 'Look.', { mentions: [userId('viewer')] });
      await settle();
      expect(await messagesOf('viewer', id)).toEqual({ questions: ['Still?'], mentions: ['Look.'] });
      expect(await messagesOf('outsider', id)).toEqual({ questions: [], mentions: [] });
      await owner.deleteTask(id);
      await settle();
      expect(await messagesOf('viewer', id)).toEqual({ questions: [], mentions: [] });
    });
  });

  it('is whole, with nothing set aside', async () => {
    const { conflicts, refused, deleted, is_cut } = await world().owner.getInbox();
    expect({ conflicts, refused, deleted, is_cut }).toEqual({
      conflicts: [],
      refused: [],
      deleted: [],
      is_cut: false,
    });
  });
};

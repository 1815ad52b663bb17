import { describe, expect, it } from 'vitest';
import { expectError, rejected, type Section, UNKNOWN_ID, validation } from './world';

const SECRET = 'sk-live-51Hsecret';

export const commentsContract: Section = (world) => {
  /** A task with a comment of the editor's. */
  const commented = async (text = 'First.') => {
    const { editor, task, settle } = world();
    const { id } = await task();
    const comment = await editor.addComment(id, text);
    await settle();
    return { id, comment: comment.id };
  };

  it('keeps comments with their mentions, in the order in which they were written (F1)', async () => {
    const { owner, editor, agent, task, settle, userId } = world();
    const { id } = await task();
    const mentions = [userId('agent').toUpperCase(), userId('agent')];
    const first = await editor.addComment(id, ' First. ', { mentions });
    await settle();
    await agent.addTaskActivity(id, 'comment', { text: 'Second.' });
    await settle();
    expect(await owner.getComments(id)).toEqual([
      {
        id: first.id,
        task_id: id,
        kind: 'comment',
        author_id: userId('editor'),
        text: ' First. ',
        mentions: [userId('agent')],
        created_at: expect.any(String),
        edited_at: null,
        is_deleted: false,
        to: null,
        question_id: null,
        is_answered: false,
      },
      expect.objectContaining({ text: 'Second.', author_id: userId('agent'), mentions: [] }),
    ]);
    expect(await owner.getComments(UNKNOWN_ID)).toEqual([]);
  });

  it('refuses comments that say nothing, or mention somebody who is no member (F1)', async () => {
    const { editor, viewer, outsider, task, userId } = world();
    const { id } = await task();
    const stranger = { mentions: [userId('outsider')] };
    await expectError(editor.addComment(id, '\u200b'), validation('required', 'text'));
    await expectError(editor.addComment(id, 'x'.repeat(20_001)), validation('too_long', 'text'));
    await expectError(editor.addComment(id, 'x', stranger), validation('not_found', 'mentions'));
    await expectError(editor.addComment(id, 'x', { mentions: ['x'] }), validation('bad_id', 'mentions'));
    const crowd = { mentions: Array.from({ length: 51 }, () => userId('agent')) };
    await expectError(editor.addComment(id, 'x', crowd), validation('bad_value', 'mentions'));
    await expectError(viewer.addComment(id, 'x'), rejected('forbidden'));
    await expectError(outsider.addComment(id, 'x'), validation('not_found', 'task_id'));
    for (const type of ['comment_edited', 'comment_deleted', 'review_requested']) {
      await expectError(editor.addTaskActivity(id, type, {}), validation('bad_value', 'activity_type'));
    }
    for (const type of ['review_approved', 'review_returned']) {
      await expectError(editor.addTaskActivity(id, type, {}), validation('bad_value', 'activity_type'));
    }
  });

  describe('an edit', () => {
    it('is its author’s alone, and readers and contexts show the newest text (F2)', async () => {
      const { owner, editor, agent, settle } = world();
      const { id, comment } = await commented();
      await expectError(owner.editComment(comment, 'x'), rejected('forbidden'));
      await expectError(agent.editComment(comment, 'x'), rejected('forbidden'));
      await expectError(editor.editComment(UNKNOWN_ID, 'x'), validation('not_found', 'comment_id'));
      await editor.editComment(comment, 'Second.');
      await settle();
      await editor.editComment(comment, 'Third.');
      await settle();
      const [folded] = await owner.getComments(id);
      expect(folded).toMatchObject({ text: 'Third.', edited_at: expect.any(String) });
      const context = await owner.getTaskContext(id);
      const shown = context?.activities.find((each) => each.id === comment);
      expect(shown?.details).toMatchObject({ text: 'Third.', edited_at: folded?.edited_at });
      expect(JSON.stringify(context?.activities)).not.toContain('First.');
      const limited = await owner.getTaskContext(id, { activities: { items: 1 } });
      expect(limited?.activities).toMatchObject([
        { activity_type: 'comment_edited', details: { text: 'Third.' } },
      ]);
    });
  });

  describe('a deletion', () => {
    it('blanks the texts of the comment and of its edits, here at once and then on the server (F4)', async () => {
      const { owner, editor, settle, backend } = world();
      const { id, comment } = await commented(SECRET);
      await editor.editComment(comment, `${SECRET} edited`);
      await settle();
      await editor.deleteComment(comment);
      expect(JSON.stringify(await editor.getTaskContext(id))).not.toContain(SECRET);
      expect(await editor.getComments(id)).toMatchObject([{ id: comment, is_deleted: true, text: '' }]);
      await settle();
      for (const service of [owner, editor]) {
        expect(JSON.stringify(await service.getTaskContext(id))).not.toContain(SECRET);
        expect(await service.getComments(id)).toMatchObject([{ id: comment, is_deleted: true, text: '' }]);
      }
      const left = await backend.transaction((connection) =>
        connection.query('select details::text from public.activity_feed where task_id = $1::uuid', [id]),
      );
      expect(JSON.stringify(left)).not.toContain(SECRET);
      await expectError(editor.editComment(comment, 'x'), validation('not_found', 'comment_id'));
      await expectError(editor.deleteComment(comment), validation('not_found', 'comment_id'));
    });

    it('is for the author and for owners who are people (F3)', async () => {
      const { owner, editor, agent, viewer, outsider, task, settle } = world();
      const { id } = await task();
      const byAgent = await agent.addComment(id, SECRET);
      await settle();
      await expectError(editor.deleteComment(byAgent.id), rejected('forbidden'));
      await expectError(viewer.deleteComment(byAgent.id), rejected('forbidden'));
      await expectError(outsider.deleteComment(byAgent.id), validation('not_found', 'comment_id'));
      await owner.deleteComment(byAgent.id);
      await settle();
      expect(await agent.getComments(id)).toMatchObject([{ is_deleted: true, text: '' }]);
      const { comment } = await commented();
      await expectError(agent.deleteComment(comment), rejected('forbidden'));
      await editor.deleteComment(comment);
      await settle();
    });
  });

  describe('a question', () => {
    it('goes to a member, a person or an agent, and is open until it is answered (F5)', async () => {
      const { owner, editor, agent, task, settle, userId } = world();
      const { id } = await task();
      await expectError(
        editor.askQuestion(id, 'x', { to: userId('outsider') }),
        validation('not_found', 'to'),
      );
      await expectError(editor.askQuestion(id, 'x', {} as never), validation('required', 'to'));
      const asked = await agent.askQuestion(id, 'Which database?', { to: userId('owner') });
      await settle();
      expect(await owner.getComments(id)).toMatchObject([
        { kind: 'question', to: userId('owner'), is_answered: false },
      ]);
      const comment = await owner.addComment(id, 'A comment.');
      await settle();
      await expectError(owner.answerQuestion(comment.id, 'x'), validation('not_found', 'question_id'));
      const answer = await owner.answerQuestion(asked.id, 'PostgreSQL.');
      await settle();
      const found = await agent.getComments(id);
      expect(found.find((one) => one.id === asked.id)).toMatchObject({ is_answered: true });
      const told = { kind: 'answer', question_id: asked.id, text: 'PostgreSQL.' };
      expect(found.find((one) => one.id === answer.id)).toMatchObject(told);
      await owner.deleteComment(answer.id);
      await settle();
      const after = await agent.getComments(id);
      expect(after.find((one) => one.id === asked.id)).toMatchObject({ is_answered: false });
      expect(after.find((one) => one.id === answer.id)).toMatchObject({
        is_deleted: true,
        question_id: asked.id,
      });
    });
  });
};

/** Reviews and comments as sync_push judges them, whatever a client sends: forged, outdated, of old protocols. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json, PushChange } from '@/core/protocol';
import { reviewedText } from '@/domain/reviews';
import type { SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

const entry = (activity_type: string, details: Json, group = 0, task_id = team.task) =>
  team.make.insert('activity_feed', { task_id, activity_type, details }, { group });

const move = (stage: string, group = 0) =>
  team.make.update('tasks', team.task, null, { current_stage: stage }, { group });

/** A request for review of the task, which waits at its first checkpoint. */
async function asked(details: Record<string, Json> = {}): Promise<string> {
  const request = entry('review_requested', { text: 'Look.', stage: 'PLAN_REVIEW', ...details }, 1);
  const { outcomes } = await team.agent.push([move('PLAN_REVIEW'), request]);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
  return request.id;
}

const outcomesOf = async (user: SyncUser, changes: PushChange[]) => (await user.push(changes)).outcomes;

const stageNow = async () =>
  (
    await database.query<{ stage: string }>(
      'select current_stage as stage from public.tasks where id = $1::uuid',
      [team.task],
    )
  )[0]?.stage;

const entriesOf = (type: string) =>
  database.query<{ details: Json; deleted: boolean }>(
    'select details, deleted_at is not null as deleted from public.activity_feed where activity_type = $1 and workspace_id = $2::uuid',
    [type, team.workspace],
  );

describe('an approval', () => {
  it('is taken with the move past the checkpoint, and refused without one, with the group (V2)', async () => {
    const request = await asked();
    expect(await outcomesOf(team.owner, [entry('review_approved', { request })])).toMatchObject([
      { outcome: 'rejected', code: 'reserved_activity' },
    ]);
    const back = [move('PLAN'), entry('review_approved', { request })];
    expect(await outcomesOf(team.owner, back)).toMatchObject([
      { code: 'group' },
      { code: 'reserved_activity' },
    ]);
    const priority = team.make.update('tasks', team.task, null, { priority: 'low' }, { group: 0 });
    expect(await outcomesOf(team.owner, [priority, entry('review_approved', { request })])).toMatchObject([
      { code: 'group' },
      { code: 'reserved_activity' },
    ]);
    expect(await stageNow()).toBe('PLAN_REVIEW');
    const forward = [move('IMPLEMENT'), entry('review_approved', { request })];
    expect(await outcomesOf(team.owner, forward)).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
  });

  it('is refused to agents, who forge it beside a move of their own (V2, P-CHECKPOINT)', async () => {
    const request = await asked();
    for (const type of ['review_approved', 'review_returned']) {
      const forged = [move('PLAN'), entry(type, { request, reason: 'x' })];
      expect(await outcomesOf(team.agent, forged)).toMatchObject([{ code: 'group' }, { code: 'checkpoint' }]);
    }
    const viewer = await outcomesOf(team.viewer, [move('IMPLEMENT'), entry('review_approved', { request })]);
    expect(viewer).toMatchObject([{ code: 'forbidden' }, { code: 'forbidden' }]);
    expect(await entriesOf('review_approved')).toEqual([]);
  });

  it('of a task that an agent’s device makes anew is passed over, and of a person’s comes with its feed (V2, P13)', async () => {
    for (const [user, isKept] of [
      [team.agent, false],
      [team.editor, true],
    ] as const) {
      const task = team.make.insert(
        'tasks',
        { title: 't', milestone_id: team.milestone, current_stage: 'PLAN' },
        { group: 0 },
      );
      const told = entry('review_approved', { request: randomUUID() }, 0, task.id);
      const answer = await user.push([task, told]);
      expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
      expect((answer.effects.deleted.activity_feed ?? []).includes(told.id)).toBe(!isKept);
    }
  });

  it('is refused by an older request, a settled one, one of another task, and none; the move with it (V3)', async () => {
    const older = await asked();
    const newer = await asked();
    for (const request of [older, randomUUID(), team.task, null, { deep: [] }, 'x']) {
      const push = [move('IMPLEMENT'), entry('review_approved', { request } as Json)];
      expect(await outcomesOf(team.owner, push), JSON.stringify(request)).toMatchObject([
        { code: 'group' },
        { code: 'review_outdated' },
      ]);
    }
    expect(await stageNow()).toBe('PLAN_REVIEW');
    await team.owner.push([move('IMPLEMENT'), entry('review_approved', { request: newer })]);
    await team.owner.push([move('PLAN_REVIEW')]);
    const twice = [move('IMPLEMENT'), entry('review_approved', { request: newer })];
    expect(await outcomesOf(team.editor, twice)).toMatchObject([
      { code: 'group' },
      { code: 'review_outdated' },
    ]);
  });

  it('that two people give at once counts once: the second is passed over (V3, U30)', async () => {
    const request = await asked();
    await team.owner.push([move('IMPLEMENT'), entry('review_approved', { request })]);
    const second = entry('review_approved', { request });
    const answer = await team.editor.push([move('IMPLEMENT'), second]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
    expect(answer.effects.deleted.activity_feed).toEqual([second.id]);
  });

  it('is refused where the text changed after the request, by its revision or by its hash (V4)', async () => {
    for (const column of ['title', 'description']) {
      const request = await asked();
      await team.agent.push([team.make.update('tasks', team.task, null, { [column]: 'Another' })]);
      const push = [move('IMPLEMENT'), entry('review_approved', { request })];
      expect(await outcomesOf(team.owner, push)).toMatchObject([{ code: 'group' }, { code: 'text_changed' }]);
    }
    // Changed in the very push of the request: the revision is the same, the hash is not.
    const text_hash = reviewedText({ title: 'Before', description: null });
    const request = entry('review_requested', { text: 'x', stage: 'PLAN_REVIEW', text_hash }, 1);
    await team.agent.push([
      request,
      team.make.update('tasks', team.task, null, { title: 'After' }, { group: 2 }),
    ]);
    const push = [move('IMPLEMENT'), entry('review_approved', { request: request.id })];
    expect(await outcomesOf(team.owner, push)).toMatchObject([{ code: 'group' }, { code: 'text_changed' }]);
  });

  it('has the same hash of a text on devices and in SQL (V4)', async () => {
    for (const [title, description] of [
      ['a', null],
      ['Ganz “neu” \u{1f680}', 'line\nline\r\n\ttab'],
      ['x'.repeat(500), 'é'.repeat(100_000)],
      ['', ''],
    ] as const) {
      const [row] = await database.query<{ hash: string }>('select convoy.text_hash($1, $2) as hash', [
        title,
        description,
      ]);
      expect(row?.hash).toBe(reviewedText({ title, description }));
    }
  });

  it('leaves the plain moves of people as they were (V6)', async () => {
    await asked();
    expect(await outcomesOf(team.editor, [move('IMPLEMENT')])).toMatchObject([{ outcome: 'applied' }]);
  });

  it('names its task: one that names it as another record is taken from nobody (V2, U30)', async () => {
    const request = await asked();
    for (const user of [team.agent, team.owner]) {
      for (const type of ['review_approved', 'review_returned']) {
        const values = { activity_type: type, entity_type: 'tasks', entity_id: team.task };
        const details = { request, reason: 'x' };
        const forged = team.make.insert('activity_feed', { ...values, details }, { group: 0 });
        expect(await outcomesOf(user, [move('PLAN'), forged])).toMatchObject([
          { code: 'group' },
          { code: 'reserved_activity' },
        ]);
      }
    }
    expect(await entriesOf('review_returned')).toEqual([]);
  });

  it('comes with a move, or, past the last stage, with the task done (V2)', async () => {
    const request = await asked();
    const status = (value: string) =>
      team.make.update('tasks', team.task, null, { status: value }, { group: 0 });
    for (const value of ['todo', 'in_progress', 'blocked', 'cancelled']) {
      const push = [status(value), entry('review_approved', { request })];
      expect(await outcomesOf(team.owner, push), value).toMatchObject([
        { code: 'group' },
        { code: 'reserved_activity' },
      ]);
    }
    const done = [status('done'), entry('review_approved', { request })];
    expect(await outcomesOf(team.owner, done)).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
  });

  it('settles its request once, however the id is spelled (V3)', async () => {
    const request = await asked();
    const capitals = request.toUpperCase();
    const first = [move('IMPLEMENT'), entry('review_approved', { request: capitals })];
    expect(await outcomesOf(team.owner, first)).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
    await team.owner.push([move('PLAN_REVIEW')]);
    for (const id of [request, capitals]) {
      expect(
        await outcomesOf(team.editor, [move('IMPLEMENT'), entry('review_approved', { request: id })]),
      ).toMatchObject([{ code: 'group' }, { code: 'review_outdated' }]);
    }
  });
});

describe('a return', () => {
  it('gives its reason (V5)', async () => {
    const request = await asked();
    for (const reason of [null, '', ' \u200b', 3, ['x'], 'x'.repeat(10_001)]) {
      const push = [move('PLAN'), entry('review_returned', { request, reason } as Json)];
      expect(await outcomesOf(team.owner, push)).toMatchObject([
        { code: 'group' },
        { code: 'invalid_value' },
      ]);
    }
    const push = [move('PLAN'), entry('review_returned', { request, reason: 'Too long.' })];
    expect(await outcomesOf(team.owner, push)).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
  });
});

describe('a request for review', () => {
  it.each([
    [null],
    ['x'],
    [{ stage: 'PLAN_REVIEW' }],
    [{ text: '\u3164', stage: 'PLAN_REVIEW' }],
    [{ text: 'x'.repeat(20_001), stage: 'PLAN_REVIEW' }],
    [{ text: 'x', stage: 'PLAN_REVIEW', commit: 1_234_567 }],
    [{ text: 'x', stage: 'PLAN_REVIEW', commit: ['abcdef1'] }],
    [{ text: 'x', stage: 'x'.repeat(65) }],
    [{ text: 'x', stage: 'PLAN_REVIEW', branch: 'x'.repeat(256) }],
    [{ text: 'x', stage: 'PLAN_REVIEW', commit: 'HEAD' }],
    [{ text: 'x', stage: 'PLAN_REVIEW', links: 'https://a.example' }],
    [{ text: 'x', stage: 'PLAN_REVIEW', links: ['javascript:alert(1)'] }],
    [{ text: 'x', stage: 'PLAN_REVIEW', links: ['https://a.example/" onclick="x'] }],
    [{ text: 'x', stage: 'PLAN_REVIEW', links: Array(21).fill('https://a.example') }],
  ])('of another shape is refused: %j (V1)', async (details) => {
    const outcome = await team.agent.pushOne(entry('review_requested', details as Json));
    expect(outcome).toMatchObject({ outcome: 'rejected' });
    expect(await entriesOf('review_requested')).toEqual([]);
  });
});

describe('comments', () => {
  const said = async (user: SyncUser, text: string) => {
    const comment = entry('comment', { text });
    expect(await user.pushOne(comment)).toMatchObject({ outcome: 'applied' });
    return comment.id;
  };

  it('are edited by their author alone, and only where they are there (F2)', async () => {
    const comment = await said(team.editor, 'First.');
    const edit = (id: Json, text: Json = 'Second.') => entry('comment_edited', { comment: id, text });
    for (const user of [team.owner, team.agent]) {
      expect(await user.pushOne(edit(comment))).toMatchObject({ outcome: 'rejected', code: 'forbidden' });
    }
    for (const id of [randomUUID(), team.task, null, 'x']) {
      expect(await team.editor.pushOne(edit(id))).toMatchObject({
        outcome: 'rejected',
        code: 'missing_parent',
      });
    }
    for (const text of [null, '', 3]) {
      expect(await team.editor.pushOne(edit(comment, text))).toMatchObject({ code: 'invalid_value' });
    }
    expect(await team.editor.pushOne(edit(comment))).toMatchObject({ outcome: 'applied' });
  });

  it('lose all their texts in the push that deletes them, which tells devices by their revisions (F4)', async () => {
    const comment = await said(team.agent, 'sk-secret');
    await team.agent.push([entry('comment_edited', { comment, text: 'sk-secret 2' })]);
    const answer = await team.owner.push([entry('comment_deleted', { comment })]);
    expect(answer.effects.rows.activity_feed?.details).toEqual(
      expect.arrayContaining([{ deleted: true }, { comment, deleted: true }]),
    );
    const [pulled] = await database.query<{ all: string }>(
      'select json_agg(a)::text as all from public.activity_feed a',
    );
    expect(pulled?.all).not.toContain('sk-secret');
    // What its author wrote meanwhile comes too late.
    const late = await team.agent.pushOne(entry('comment_edited', { comment, text: 'sk-secret 3' }));
    expect(late).toMatchObject({ outcome: 'rejected', code: 'missing_parent' });
    // Two who delete it do the same.
    expect(await team.agent.pushOne(entry('comment_deleted', { comment }))).toMatchObject({
      outcome: 'applied',
    });
  });

  it('lose the texts of edits that spell their id in capitals (F4)', async () => {
    const comment = await said(team.agent, 'sk-secret');
    const edit = entry('comment_edited', { comment: comment.toUpperCase(), text: 'sk-secret 2' });
    expect(await team.agent.pushOne(edit)).toMatchObject({ outcome: 'applied' });
    await team.owner.push([entry('comment_deleted', { comment: comment.toUpperCase() })]);
    const [stored] = await database.query<{ all: string }>(
      'select json_agg(a)::text as all from public.activity_feed a',
    );
    expect(stored?.all).not.toContain('sk-secret');
  });

  it('that are made, edited and deleted in one push leave no text (F4)', async () => {
    const comment = entry('comment', { text: 'sk-secret' }, 0);
    const answer = await team.agent.push([
      comment,
      entry('comment_edited', { comment: comment.id, text: 'sk-secret 2' }, 1),
      entry('comment_deleted', { comment: comment.id }, 2),
    ]);
    expect(answer.outcomes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied']);
    const [stored] = await database.query<{ all: string }>(
      'select json_agg(a)::text as all from public.activity_feed a',
    );
    expect(stored?.all).not.toContain('sk-secret');
    // Its device is told, however often it sends them.
    const blank = [{ deleted: true }, { comment: comment.id, deleted: true }];
    const told = ({ effects }: typeof answer) => effects.rows.activity_feed?.details;
    expect(told(answer)).toEqual(expect.arrayContaining(blank));
    expect(told(await team.agent.push([comment]))).toEqual([{ deleted: true }]);
    // A stranger is told nothing of it.
    const guess = await team.stranger.push([comment, { ...comment, id: randomUUID() }]);
    expect(guess.effects.rows).toEqual({});
  });

  it('are deleted by their author and by owners who are people (F3)', async () => {
    const comment = await said(team.owner, 'Mine.');
    for (const user of [team.editor, team.agent]) {
      const refused = await user.pushOne(entry('comment_deleted', { comment }));
      expect(refused).toMatchObject({ outcome: 'rejected', code: 'forbidden' });
    }
    expect((await entriesOf('comment')).map(({ details }) => details)).toEqual([{ text: 'Mine.' }]);
  });

  it('are rewritten by nothing else (F4)', async () => {
    await said(team.owner, 'Mine.');
    const rewriting = database.query(
      "update public.activity_feed set details = '{}' where workspace_id = $1::uuid",
      [team.workspace],
    );
    await expect(rewriting).rejects.toThrow('What has happened is not rewritten.');
  });
});

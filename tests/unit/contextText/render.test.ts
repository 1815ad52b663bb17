import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import type { TaskContext } from '@/domain/entities';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { renderTaskContext } from '@/lib/contextText';
import { activityOf, BOT, contextOf, id, MEMBERS, patternOf, practiceOf, taskOf } from './contexts';

const tokensOf = (text: string) => countTokens(text, { disallowedSpecial: new Set() });
const words = (n: number) => Array.from({ length: n }, (_, i) => `word${i}`).join(' ');

const LARGE: Readonly<Record<string, TaskContext>> = {
  'a description over the budget': contextOf({ task: taskOf(100, { description: words(15_000) }) }),
  'a description without a break': contextOf({ task: taskOf(100, { description: 'x'.repeat(100_000) }) }),
  'signs and slashes without a break': contextOf({
    task: taskOf(100, { description: '/\n'.repeat(40_000) }),
  }),
  'white space alone': contextOf({ task: taskOf(100, { description: `a${' \n\t'.repeat(30_000)}b` }) }),
  'letters of several tokens': contextOf({
    task: taskOf(100, {
      title: '\u{1f468}\u{1f3fd}'.repeat(120),
      description: '\u1f4f\u0aa8\u1780'.repeat(30_000),
    }),
  }),
  'a title of rare letters': contextOf({
    task: taskOf(100, { title: '\u{12000}'.repeat(500), current_stage: '\u{12000}'.repeat(64) }),
  }),
  '200 patterns of 60 KB': contextOf({
    patterns: Array.from({ length: 200 }, (_, n) => patternOf(1000 + n, { content: { text: words(7_000) } })),
  }),
  '300 subtasks': contextOf({ subtasks: Array.from({ length: 300 }, (_, n) => taskOf(2000 + n)) }),
  '5,000 activities': contextOf({
    activities: Array.from({ length: 5_000 }, (_, n) =>
      activityOf(9_999 - n, n % 2 ? 'comment' : 'noted', { text: words(30) }),
    ),
  }),
};

describe('the budget', () => {
  it.each(Object.entries(LARGE))(
    'holds for %s, the wrapper included, and what is left out is named with its call (X1, X3)',
    async (_, context) => {
      for (const maxTokens of [200, 251, 500, 999, 1_000, 2_000, 8_000]) {
        const freshness = { lastSyncedAt: '2026-03-01T09:00:00.000Z', pending: 3, isOnline: false };
        const rendered = await renderTaskContext(context, { maxTokens, members: MEMBERS, freshness });
        expect(tokensOf(rendered.markdown)).toBe(rendered.tokens);
        expect(rendered.tokens).toBeLessThanOrEqual(maxTokens);
        expect(rendered.markdown).toContain(context.task.id);
        if (rendered.left_out.length > 0) expect(rendered.markdown).toMatch(/`get[A-Z]\w+\(/);
        for (const { shown, all, isCut } of rendered.left_out) expect(shown < all || isCut).toBe(true);
        // No run is so long that a tokenizer's time grows with its square.
        expect(rendered.markdown).not.toMatch(/[\p{L}\p{M}]{1001}|[^\s\p{L}\p{N}]{1001}|\s{1001}/u);
      }
    },
  );

  it('is used: a long description fills most of it (X1)', async () => {
    const { tokens } = await renderTaskContext(LARGE['a description over the budget'] as TaskContext, {
      maxTokens: 4_000,
    });
    expect(tokens).toBeGreaterThan(3_200);
  });

  it('has room for all of a small context, and then nothing is left out (X3)', async () => {
    const { markdown, left_out } = await renderTaskContext(contextOf(), {
      maxTokens: 2_000,
      members: MEMBERS,
    });
    expect(left_out).toEqual([]);
    expect(markdown).toContain('Requirements of the milestone, of a record last changed by `Ada`');
    expect(markdown).toContain('Make it work without a network.');
    expect(markdown).not.toContain('## Left out');
  });

  it('is refused below 200 tokens, and where it is no whole number (X1)', async () => {
    for (const maxTokens of [199, 0, 300.5, Number.NaN, '500' as never]) {
      const detail = { kind: 'validation', code: 'bad_value', field: 'maxTokens' };
      await expect(renderTaskContext(contextOf(), { maxTokens })).rejects.toMatchObject({ detail });
    }
  });
});

describe('what comes first', () => {
  it('is why the task was returned, then open questions, before comments and patterns (X2)', async () => {
    const context = contextOf({
      activities: [
        activityOf(24, 'review_returned', { request: id(22), reason: 'The tests are missing.' }),
        activityOf(23, 'question', { text: 'Which database?', to: BOT }),
        activityOf(
          22,
          'review_requested',
          { text: 'Please look.', stage: 'PLAN_REVIEW', links: ['https://a.example/1'] },
          BOT,
        ),
        activityOf(21, 'comment', { text: 'A comment.' }),
      ],
      best_practices: [practiceOf(31, { content: { text: 'Write tests.' } })],
    });
    const { markdown } = await renderTaskContext(context, { maxTokens: 3_000, members: MEMBERS });
    const order = [
      'Make it work',
      'The tests are missing.',
      'Please look.',
      'Which database?',
      'A comment.',
      'Write tests.',
    ];
    const places = order.map((text) => markdown.indexOf(text));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(markdown).toContain('link: https://a.example/1');
  });

  it('is what people wrote: patterns of agents, and of nobody known, follow and say so (X5)', async () => {
    const context = contextOf({
      patterns: [
        patternOf(41, { name: 'By an agent', last_modified_by: BOT, project_id: id(2) }),
        patternOf(42, { name: 'By somebody gone', last_modified_by: id(999), project_id: id(2) }),
        patternOf(43, { name: 'By a person' }),
        patternOf(44, { name: 'Of Convoy', workspace_id: GLOBAL_SCOPE_ID, last_modified_by: null }),
      ],
    });
    const { markdown } = await renderTaskContext(context, { maxTokens: 3_000, members: MEMBERS });
    const at = (name: string) => markdown.indexOf(name);
    expect(at('By a person')).toBeLessThan(at('Of Convoy'));
    expect(at('Of Convoy')).toBeLessThan(at('By an agent'));
    const line = (name: string) => markdown.split('\n').find((each) => each.includes(`\`${name}\``));
    expect(line('By an agent')).toContain('by `Bot` (agent), not confirmed by a person');
    expect(line('By somebody gone')).toContain('not confirmed by a person');
    expect(line('By a person')).not.toContain('not confirmed');
  });
});

describe('the author of the description', () => {
  const headOf = async (activities: TaskContext['activities']) => {
    const context = contextOf({ activities });
    const { markdown } = await renderTaskContext(context, { maxTokens: 2_000, members: MEMBERS });
    return markdown.split('\n').find((line) => line.startsWith('Description'));
  };
  const moved = activityOf(29, 'stage_changed', { from: 'PLAN', to: 'PLAN_REVIEW' }, BOT);
  const edited = activityOf(28, 'task_updated', { fields: ['title', 'description'], changes: {} });
  const other = activityOf(27, 'task_updated', { fields: ['priority'], changes: {} }, BOT);
  const created = (by: string) => activityOf(21, 'task_created', { title: 'Sync', stage: 'PLAN' }, by);

  it('is whoever wrote it last, not whoever moved the task, else the creator (X4)', async () => {
    expect(await headOf([moved, edited, other, created(BOT)])).toBe('Description by `Ada` (owner, person):');
    expect(await headOf([moved, other, created(BOT)])).toBe('Description by `Bot` (agent):');
    const settled = activityOf(30, 'conflict_settled', { columns: { description: { by: 'person' } } }, BOT);
    expect(await headOf([settled, edited])).toBe('Description by `Bot` (agent):');
  });

  it('is not told where the entries that are here do not say (X4)', async () => {
    expect(await headOf([moved, other])).toBe('Description:');
    expect(await headOf([])).toBe('Description:');
  });
});

describe('freshness and hash', () => {
  it('tells how far the device is behind, which the hash leaves out (X6)', async () => {
    const old = { lastSyncedAt: null, pending: 0, isOnline: true };
    const now = { lastSyncedAt: '2026-03-02T00:00:00.000Z', pending: 2, isOnline: false };
    const before = await renderTaskContext(contextOf(), { maxTokens: 2_000, freshness: old });
    const after = await renderTaskContext(contextOf(), { maxTokens: 2_000, freshness: now });
    expect(before.markdown).toContain('Never synced; nothing waits to be sent; online.');
    expect(after.markdown).toContain(
      'Last synced 2026-03-02T00:00:00.000Z; 2 records wait to be sent; offline.',
    );
    expect(after.hash).toBe(before.hash);
    const known = await renderTaskContext(contextOf(), {
      maxTokens: 2_000,
      freshness: now,
      knownHash: before.hash,
    });
    expect(known).toMatchObject({ isUnchanged: true, hash: before.hash });
    expect(known.tokens).toBeLessThan(120);
    expect(known.markdown).toContain('2 records wait to be sent');
    const changed = contextOf({ task: taskOf(100, { title: 'Another title' }) });
    const told = await renderTaskContext(changed, {
      maxTokens: 2_000,
      freshness: now,
      knownHash: before.hash,
    });
    expect(told).toMatchObject({ isUnchanged: false });
    expect(told.hash).not.toBe(before.hash);
  });
});

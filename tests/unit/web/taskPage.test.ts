import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Activity, BestPractice } from '@/domain/entities';
import type { Stage } from '@/web/hooks/useTaskStageManagement';
import { differenceOf } from '@/web/shared/textDifference';
import { claimText } from '@/web/tasks/claimText';
import { conflictFields } from '@/web/tasks/conflictFields';
import { changedTexts } from '@/web/tasks/feedDifferences';
import { oneLine, overtaken, savedValue } from '@/web/tasks/inPlaceText';
import { mentionsIn } from '@/web/tasks/mentions';
import { nextStepOf } from '@/web/tasks/nextStep';
import { practicesFirst } from '@/web/tasks/practicesFirst';

describe('a text that is edited in place', () => {
  const typed = { text: 'Mine', base: 'Before', isTyped: true };

  it('is overtaken by what others wrote, unless they wrote the same', () => {
    expect(overtaken(typed, 'Before')).toBeNull();
    expect(overtaken(typed, 'Mine')).toBeNull();
    expect(overtaken(typed, 'Theirs')).toBe('Theirs');
    expect(overtaken(typed, '')).toBe('');
    expect(overtaken({ ...typed, isTyped: false }, 'Theirs')).toBeNull();
  });

  it('a title is one line; a description is as it was typed, and none where it is blank', () => {
    expect(savedValue('title', ' Two\r\n  lines ')).toBe('Two lines');
    expect(savedValue('description', ' Two\r\nlines ')).toBe(' Two\r\nlines ');
    expect(savedValue('description', ' \n')).toBeNull();
    expect(oneLine('\n')).toBe('');
  });
});

describe('the next step', () => {
  const NAMES = ['PLAN', 'PLAN_REVIEW', 'IMPLEMENT', 'CODE_REVIEW', 'COMMIT'];
  const stagesAt = (here: string, blocked: string | null = null): Stage[] =>
    NAMES.map((name, order) => ({
      name,
      order,
      description: '',
      is_checkpoint: name.endsWith('REVIEW'),
      place: order === NAMES.indexOf(here) ? 'here' : order < NAMES.indexOf(here) ? 'behind' : 'ahead',
      blockedBy: order > NAMES.indexOf(here) ? blocked : null,
      passes: [],
    }));
  const step = (
    stage: string,
    isAsked = false,
    status: 'in_progress' | 'done' = 'in_progress',
    blocked: string | null = null,
  ) => nextStepOf({ status, current_stage: stage }, stagesAt(stage, blocked), isAsked);

  it('moves on, approves what a review is asked for, and finishes from the last stage', () => {
    expect(step('PLAN')).toMatchObject({ label: 'Move to Plan review', stage: { name: 'PLAN_REVIEW' } });
    expect(step('PLAN_REVIEW', true)).toMatchObject({ label: 'Approve plan', stage: { name: 'IMPLEMENT' } });
    expect(step('CODE_REVIEW', true)).toMatchObject({ label: 'Approve code review' });
    expect(step('PLAN_REVIEW')).toMatchObject({ label: 'Move to Implement' });
    expect(step('COMMIT')).toEqual({ label: 'Finish task', stage: null });
  });

  it('is none where the task is done, its stage is unknown, or others have to pass a checkpoint', () => {
    expect(step('COMMIT', false, 'done')).toBeNull();
    expect(step('GONE')).toBeNull();
    expect(step('PLAN_REVIEW', true, 'in_progress', 'PLAN_REVIEW')).toBeNull();
  });
});

describe('mentions', () => {
  const members = [
    { user_id: 'a', display_name: 'Ada' },
    { user_id: 'al', display_name: 'Ada Lovelace' },
    { user_id: 'x', display_name: 'X-1' },
    { user_id: 'x2', display_name: 'X-1' },
    { user_id: 'none', display_name: ' ' },
  ];

  it.each([
    ['@Ada please look', ['a']],
    ['see @ada lovelace, and @Ada.', ['al', 'a']],
    ['(@Ada)', ['a']],
    ['mail ada@Ada, @Adam and @Nobody', []],
    ['@X-1', ['x', 'x2']],
    ['@', []],
  ])('%s', (text, found) => {
    expect(mentionsIn(text, members)).toEqual(found);
  });
});

describe('the difference of two texts', () => {
  const of = (parts: ReturnType<typeof differenceOf>, left: string) =>
    parts
      .filter(({ kind }) => kind !== left)
      .map(({ text }) => text)
      .join('');

  it('gives both texts back, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, after) => {
        const parts = differenceOf(before, after);
        expect(of(parts, 'added')).toBe(before);
        expect(of(parts, 'removed')).toBe(after);
      }),
    );
  });

  it('marks words, and large texts that have nothing in common are two texts', () => {
    expect(differenceOf('one two three', 'one 2 three')).toEqual([
      { text: 'one ', kind: 'both' },
      { text: 'two', kind: 'removed' },
      { text: '2', kind: 'added' },
      { text: ' three', kind: 'both' },
    ]);
    const many = (word: string) => Array.from({ length: 3_000 }, (_, n) => `${word} ${n}\n`).join('');
    const parts = differenceOf(many('a'), many('b'));
    expect(parts.map(({ kind }) => kind)).toEqual(['removed', 'added']);
  });
});

it('best practices that name the stage come first, and the others stay in their order', () => {
  const practice = (name: string, category: string) => ({ name, category }) as BestPractice;
  const all = [
    practice('Leave a trail', 'communication'),
    practice('Plan before code', 'workflow'),
    practice('Small changes', 'review'),
  ];
  const names = (stage: string) => practicesFirst(all, stage).map(({ name }) => name);
  expect(names('PLAN')).toEqual(['Plan before code', 'Leave a trail', 'Small changes']);
  expect(names('CODE_REVIEW')).toEqual(['Plan before code', 'Small changes', 'Leave a trail']);
  expect(names('IMPLEMENT')).toEqual(['Leave a trail', 'Plan before code', 'Small changes']);
});

it('columns that merge as one are one choice (U6)', () => {
  expect(conflictFields(['title', 'current_stage', 'status', 'description'])).toEqual([
    { name: 'title', columns: ['title'] },
    { name: 'current_stage', columns: ['current_stage', 'status'] },
    { name: 'description', columns: ['description'] },
  ]);
});

describe('a claim in words', () => {
  const now = Date.parse('2026-03-02T13:30:00');
  const base = { name: 'Agent', isOwn: false, waits: false, since: null, until: null, now };

  it('says for how long, and until when', () => {
    const until = Date.parse('2026-03-02T14:05:00');
    expect(claimText({ ...base, since: now - 12 * 60_000, until })).toEqual({
      headline: 'Agent is at work for 12 min',
      detail: 'Lease until 14:05',
    });
    expect(claimText({ ...base, since: now - 125 * 60_000 }).headline).toBe('Agent is at work for 2 h 5 min');
    expect(claimText({ ...base, since: now }).headline).toBe('Agent is at work');
  });

  it('waits at a checkpoint whatever its lease, and is the user’s own', () => {
    expect(claimText({ ...base, waits: true, since: 0 })).toEqual({
      headline: 'Agent has it',
      detail: 'Waits for the review',
    });
    expect(claimText({ ...base, name: 'You', isOwn: true }).headline).toBe('You are at work');
  });
});

describe('texts that an entry of the feed changed', () => {
  const entry = (activity_type: string, details: object) => ({ activity_type, details }) as Activity;
  const long = (word: string) => `${word} `.repeat(50);

  it('are shown where the entry has both, and are long', () => {
    const conflict = entry('conflict_settled', {
      columns: {
        description: { chosen: long('mine'), local: long('mine'), remote: long('theirs') },
        title: { chosen: 'a', local: 'a', remote: 'b' },
      },
    });
    expect(changedTexts(conflict, [conflict])).toEqual([
      { label: 'The description', before: long('theirs'), after: long('mine') },
    ]);
    const updated = entry('task_updated', {
      fields: ['description', 'title'],
      changes: { title: [long('a'), 'b'] },
    });
    expect(changedTexts(updated, [updated])).toEqual([{ label: 'The title', before: long('a'), after: 'b' }]);
  });

  it('of a request for review: against the one before it; of what anybody wrote: nothing', () => {
    const first = entry('review_requested', { text: 'Plan A', stage: 'PLAN_REVIEW' });
    const second = entry('review_requested', { text: 'Plan B', stage: 'PLAN_REVIEW' });
    expect(changedTexts(second, [second, first])).toMatchObject([{ before: 'Plan A', after: 'Plan B' }]);
    expect(changedTexts(first, [second, first])).toEqual([]);
    expect(changedTexts(entry('task_updated', { changes: 5 }), [])).toEqual([]);
    expect(changedTexts(entry('conflict_settled', { columns: [null] }), [])).toEqual([]);
  });
});

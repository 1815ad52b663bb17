import { describe, expect, it } from 'vitest';
import { questionNamed } from '@/cli/commands/answer';
import { hintsOf, inboxText } from '@/cli/commands/inbox';
import { usageError } from '@/cli/program';
import { count } from '@/core/count';
import type { Comment } from '@/domain/comments';
import { type Inbox, inboxOf } from '@/domain/inbox';

const idOf = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

function questionOf(n: number, values: Partial<Comment> = {}): Comment {
  return {
    id: idOf(n),
    task_id: idOf(1),
    kind: 'question',
    author_id: 'ada',
    text: `Question ${n}?`,
    mentions: [],
    created_at: '2026-03-01T09:00:00.000Z',
    edited_at: null,
    is_deleted: false,
    to: 'me',
    question_id: null,
    is_answered: false,
    ...values,
  };
}

describe('the question that is answered', () => {
  const named = (comments: Comment[], name?: string) => questionNamed(comments, 'me', name).id;
  const code = (expected: string) =>
    expect.objectContaining({ detail: expect.objectContaining({ code: expected }) });

  it('is the only one that waits for the user', () => {
    const others = [
      questionOf(2, { to: 'ada' }),
      questionOf(3, { is_answered: true }),
      questionOf(4, { is_deleted: true }),
      questionOf(5, { kind: 'comment' }),
    ];
    expect(named([...others, questionOf(6)])).toBe(idOf(6));
    expect(() => named(others)).toThrow(code('not_found'));
  });

  it('has to be named where several wait, by an id that the refusal tells', () => {
    const two = [questionOf(6), questionOf(7)];
    expect(() => named(two)).toThrow(code('ambiguous'));
    expect(() => named(two)).toThrow(/0000006 Question 6\?\n {2}0000007 Question 7/);
    expect(named(two, '0000007')).toBe(idOf(7));
    expect(named(two, idOf(6))).toBe(idOf(6));
    expect(() => named(two, '0000008')).toThrow(code('not_found'));
  });
});

describe('the inbox in words', () => {
  const empty = inboxOf({ reviews: [], questions: [], mentions: [], is_cut: false }, 'me');
  const aside = {
    workspace_id: 'w',
    name: 'Dig',
    task_id: idOf(1),
    record_id: idOf(1),
    table: 'tasks',
    at: '',
  } as const;
  const task = { id: idOf(1), workspace_id: 'w', key: 'FIELD-1', title: 'Dig' };
  const asked = (n: number) =>
    ({
      id: idOf(n),
      kind: 'question',
      task,
      author_id: 'ada',
      text: 'Why?',
      since: '2026-03-01T09:00:00Z',
    }) as const;
  const known = { names: new Map([['ada', 'Ada']]), keys: new Map([[idOf(1), 'FIELD-1']]) };
  const lineOf = (inbox: Inbox, word: string) =>
    inboxText(inbox, known, false)
      .split('\n')
      .find((line) => line.includes(word)) ?? '';

  it('names the task of what is set aside on this machine by its key', () => {
    const conflicts = [{ ...aside, id: 'c', columns: ['description'] }];
    const refused = [
      {
        ...aside,
        id: 'r',
        group_id: 'r',
        operation: 'update',
        code: 'forbidden',
        column: null,
        message: 'No.',
      } as const,
    ];
    const deleted = [{ ...aside, id: 'd', columns: ['title'] }];
    const inbox = { ...empty, conflicts, refused, deleted };
    expect(lineOf(inbox, 'description')).toContain('FIELD-1  task');
    expect(lineOf(inbox, 'forbidden')).toContain('FIELD-1  update task');
    expect(lineOf(inbox, 'title')).toContain('FIELD-1  task');
  });

  it('tells the ids of questions where one task has several, and how each kind is answered', () => {
    expect(lineOf({ ...empty, questions: [asked(2)] }, 'Why?')).toMatch(/^FIELD-1 {2}Ada/);
    expect(lineOf({ ...empty, questions: [asked(2), asked(3)] }, '0000003')).toMatch(
      /^FIELD-1 0000003 {2}Ada/,
    );
    expect(hintsOf({ ...empty, questions: [asked(2)] })).toEqual([expect.stringContaining('convoy answer')]);
    expect(hintsOf(empty)).toEqual([]);
  });
});

describe('numbers and wrong usage in words', () => {
  it('have the noun of one and of many', () => {
    expect([0, 1, 2].map((n) => count(n, 'change'))).toEqual(['0 changes', '1 change', '2 changes']);
  });

  it('are told as a failure with a code', () => {
    const told = usageError('commander.unknownOption', "error: unknown option '--nothing'");
    expect(told).toMatchObject({ kind: 'machine', code: 'usage' });
    expect(told.message).toMatch(/^unknown option '--nothing'/);
    expect(usageError('commander.help', '(outputHelp)').message).toContain('A command is missing.');
  });
});

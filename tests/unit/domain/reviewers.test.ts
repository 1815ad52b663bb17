import { describe, expect, it } from 'vitest';
import { type Reviewer, reviewersOf, waitsForUser } from '@/domain/reviewers';

const person = (user_id: string, role: Reviewer['role'] = 'editor'): Reviewer => ({
  user_id,
  role,
  kind: 'human',
  made_by: null,
});
const agent = (user_id: string, made_by: string | null): Reviewer => ({
  user_id,
  role: 'agent',
  kind: 'agent',
  made_by,
});

const MEMBERS = [
  person('owner', 'owner'),
  person('editor'),
  person('viewer', 'viewer'),
  agent('bot', 'editor'),
  agent('other', 'owner'),
  agent('invited', null),
];
const of = (
  assignee_id: string | null,
  claimed_by: string | null,
  requestedBy: string | null,
  members = MEMBERS,
) => reviewersOf({ assignee_id, claimed_by }, requestedBy, members);
const ALL = { by: 'all', user_id: null };

describe('the reviewers of a task', () => {
  it.each([
    ['the human assignee, before all others', ['owner', 'bot', 'bot'], { by: 'assignee', user_id: 'owner' }],
    ['the maker of the agent that holds it', [null, 'bot', 'other'], { by: 'maker', user_id: 'editor' }],
    ['the maker of the agent that asked', [null, null, 'other'], { by: 'maker', user_id: 'owner' }],
    ['the maker, where the assignee is an agent', ['other', 'bot', null], { by: 'maker', user_id: 'editor' }],
    [
      'the maker of the one that asked, where a person holds it',
      [null, 'owner', 'bot'],
      { by: 'maker', user_id: 'editor' },
    ],
    ['all, where the assignee may not approve', ['viewer', null, null], ALL],
    ['all, where the assignee is no member any more', ['gone', null, null], ALL],
    ['all, where nobody made the agent', [null, 'invited', 'invited'], ALL],
    ['all, where a person asked', [null, 'editor', 'editor'], ALL],
    ['all, where the agent is no member any more', [null, 'gone', 'gone'], ALL],
    ['all, where nobody works on it', [null, null, null], ALL],
  ] as const)('are %s (I1)', (_, [assignee, holder, asker], expected) => {
    expect(of(assignee, holder, asker)).toEqual(expected);
  });

  it('are all where the maker was removed, or may no longer approve (I1)', () => {
    const without = MEMBERS.filter(({ user_id }) => user_id !== 'editor');
    expect(of(null, 'bot', 'bot', without)).toEqual(ALL);
    expect(of(null, 'bot', 'bot', [...without, person('editor', 'viewer')])).toEqual(ALL);
    // An agent that owns a workspace passes no checkpoint.
    const owning: Reviewer = { ...agent('boss', null), role: 'owner' };
    expect(of('boss', null, null, [...MEMBERS, owning])).toEqual(ALL);
  });

  it('wait for those alone, or for each who may approve (I2)', () => {
    const one = { by: 'assignee', user_id: 'editor' } as const;
    const waiting = (reviewers: Parameters<typeof waitsForUser>[0]) =>
      MEMBERS.filter((member) => waitsForUser(reviewers, member)).map(({ user_id }) => user_id);
    expect(waiting(one)).toEqual(['editor']);
    expect(waiting({ by: 'all', user_id: null })).toEqual(['owner', 'editor']);
    expect(waitsForUser(one, undefined)).toBe(false);
  });
});

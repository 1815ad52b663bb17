import { describe, expect, it } from 'vitest';
import {
  countInbox,
  cutText,
  INBOX_TEXT,
  type InboxRefusal,
  inboxOf,
  MOST_IN_INBOX,
  type ReviewFacts,
} from '@/domain/inbox';

const facts = (n: number, changes: Partial<ReviewFacts> = {}): ReviewFacts => ({
  task: {
    id: `t${String(n).padStart(4, '0')}`,
    workspace_id: 'w',
    key: null,
    title: 'A task',
    current_stage: 'PLAN_REVIEW',
    status: 'in_progress',
    priority: 'medium',
    assignee_id: null,
    claimed_by: null,
  },
  request: null,
  updated_at: new Date(1_000 * n).toISOString(),
  members: [{ user_id: 'me', role: 'owner', kind: 'human', made_by: null }],
  ...changes,
});
const of = (reviews: ReviewFacts[]) => inboxOf({ reviews, questions: [], mentions: [], is_cut: false }, 'me');

describe('the inbox', () => {
  it('has what waits longest first, and says where it is cut (I5)', () => {
    const { reviews, is_cut } = of([3, 1, 2].map((n) => facts(n)));
    expect(reviews.map(({ task }) => task.id)).toEqual(['t0001', 't0002', 't0003']);
    expect(is_cut).toBe(false);
    const many = of(Array.from({ length: MOST_IN_INBOX + 1 }, (_, n) => facts(n)));
    expect(many.reviews).toHaveLength(MOST_IN_INBOX);
    expect(many.is_cut).toBe(true);
    expect(countInbox(many)).toBe(MOST_IN_INBOX);
  });

  it('names no request of another stage (I2)', () => {
    const request = {
      id: 'r',
      stage: 'CODE_REVIEW',
      text: 'x',
      branch: null,
      commit: null,
      requested_by: 'me',
      requested_at: new Date(9_000).toISOString(),
    };
    const [other] = of([facts(1, { request })]).reviews;
    expect(other).toMatchObject({ request: null, since: facts(1).updated_at });
    const [own] = of([facts(1, { request: { ...request, stage: 'PLAN_REVIEW' } })]).reviews;
    expect(own).toMatchObject({ request: { id: 'r' }, since: request.requested_at });
    expect(own?.request).not.toHaveProperty('stage');
  });

  it('counts changes that were refused together once', () => {
    const refused = ['a', 'a', 'b'].map((group_id) => ({ group_id }) as InboxRefusal);
    expect(countInbox({ ...of([]), refused })).toBe(2);
  });

  it('cuts texts between characters (I5)', () => {
    expect(cutText('é'.repeat(3))).toBe('ééé');
    expect([...cutText('👍'.repeat(INBOX_TEXT + 1))]).toHaveLength(INBOX_TEXT);
  });
});

import { describe, expect, it } from 'vitest';
import type { Deletion } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import { deletionsCalled } from '@/machine/deletions';
import { loginCommand, notSignedIn } from '@/machine/errors';
import { holdersOf } from '@/machine/holders';
import { entryNamed } from '@/machine/setAside';

const idOf = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

describe('an entry of a list that has changed since', () => {
  const entries = [11, 12].map((n, index) => ({
    number: index + 1,
    short_id: `000000${n}`.slice(-7),
    key: n === 11 ? 'FIELD-1' : null,
    id: idOf(n),
  }));
  const named = (reference: string, listed = entries) =>
    entryNamed('conflict', listed, reference, ({ id, key }) => [id, key]).id;

  it('is named for good by its short id, though its number is another one by now', () => {
    const left = entries.slice(1).map((entry) => ({ ...entry, number: 1 }));
    expect(named('2')).toBe(idOf(12));
    expect(named('0000012')).toBe(idOf(12));
    expect(named('0000012', left)).toBe(idOf(12));
    expect(() => named('2', left)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'not_found' }) }),
    );
    expect(named('field-1')).toBe(idOf(11));
    expect(named(idOf(11).toUpperCase())).toBe(idOf(11));
  });

  it('is told by short ids where none fits', () => {
    expect(() => named('7')).toThrow('0000011, 0000012');
  });
});

describe('a deletion', () => {
  const listed = [21, 22].map(
    (n) => ({ id: idOf(n), entity_id: idOf(n + 100), name: `Task ${n}` }) as Deletion,
  );
  const called = (reference: string, named: readonly string[] = []) =>
    deletionsCalled(listed, reference, new Set(named)).map(({ id }) => id);

  it('is named by its id or the end of it, and by the id, the derived key or the key of what was deleted', () => {
    const derived = nameOfTask({ id: idOf(122), key: null }, { key: 'FIELD', name: 'Field' });
    for (const reference of [idOf(22), '0000022', idOf(122), derived, derived.slice(derived.indexOf('~'))]) {
      expect(called(reference), reference).toEqual([idOf(22)]);
    }
    expect(called('FIELD-7', [idOf(121)])).toEqual([idOf(21)]);
    expect(called('FIELD-7')).toEqual([]);
  });
});

describe('the holders of a task', () => {
  const members = [
    { user_id: 'ada', display_name: 'Ada' },
    { user_id: 'bot', display_name: 'Bot' },
  ];
  const now = Date.parse('2026-03-01T09:00:00.000Z');
  const until = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
  const task = {
    assignee_id: 'ada',
    claimed_by: 'bot',
    claim_id: 'one',
    claimed_until: until(5),
    current_stage: 'PLAN',
  };
  const workflow = { stages: [{ name: 'PLAN_REVIEW', description: '', order: 2, is_checkpoint: true }] };

  it('are told by name, with the lease and whether it runs (C4)', () => {
    const told = holdersOf(task, workflow, members, now);
    expect(told.assignee).toEqual({ user_id: 'ada', name: 'Ada' });
    expect(told.claim).toEqual({ user_id: 'bot', name: 'Bot', until: until(5), waits: false, is_live: true });
    const late = { ...task, claimed_until: until(-5) };
    expect(holdersOf(late, workflow, members, now).claim).toMatchObject({ is_live: false });
    const review = { ...late, current_stage: 'PLAN_REVIEW' };
    expect(holdersOf(review, workflow, members, now).claim).toMatchObject({ is_live: true, waits: true });
  });

  it('are nobody where there is no assignee and no claim', () => {
    const nobody = { ...task, assignee_id: null, claim_id: null };
    expect(holdersOf(nobody, workflow, members, now)).toEqual({ assignee: null, claim: null });
    const gone = holdersOf({ ...task, assignee_id: 'left' }, null, members, now);
    expect(gone.assignee?.name).toContain('no member');
  });
});

describe('how to sign in', () => {
  it('names the backend where it is not the default', () => {
    expect(loginCommand()).toBe('convoy login');
    expect(loginCommand('http://127.0.0.1:8787/')).toBe('convoy login');
    expect(loginCommand('https://convoy.example')).toBe('convoy login --url https://convoy.example');
    expect(notSignedIn('Nobody.', 'https://convoy.example').message).toContain(
      '--url https://convoy.example',
    );
  });
});

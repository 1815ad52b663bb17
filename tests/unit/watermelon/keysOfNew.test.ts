/** A new record whose push was never heard of, and whose row arrives by a pull. */

import { expect, it } from 'vitest';
import type { SyncedTable } from '@/domain/schema';
import { markCreated, readBase } from '@/lib/watermelon/models/tracking';
import type { Raw } from '@/lib/watermelon/models/watermelondb';
import { withLocalEdits } from '@/lib/watermelon/sync/pull/applyRows';

const ID = '01980000-1234-7abc-8def-0123456789ab';

/** @returns the local record, made here with these values, under the server's row. */
function pulled(table: SyncedTable, here: Partial<Raw>, there: Partial<Raw>): Raw {
  const common = { id: ID, _status: 'synced', _changed: '', workspace_id: ID, remote_id: ID, revision: 7 };
  const local = { ...common, remote_id: null, ...here } as Raw;
  markCreated(local, { revision: 0, groups: [], columns: {}, created: { editedAt: 1, offset: 0 } });
  return withLocalEdits(table, { ...common, sync_base: null, ...there } as Raw, local);
}

it('a task that brought its key takes over the one that the server gave it, as no edit (Y4, Y5)', () => {
  const raw = pulled('tasks', { title: 'mine', key: 'A-1' }, { title: 'sent', key: 'A-2' });
  expect(raw).toMatchObject({ title: 'mine', key: 'A-2', _changed: 'title' });
});

it('what the server alone writes is never an edit of this device', () => {
  const raw = pulled(
    'tasks',
    { title: 't', claimed_by: null },
    { title: 't', claimed_by: ID, claim_id: 'c' },
  );
  expect(raw).toMatchObject({ claimed_by: ID, _status: 'synced' });
});

it('a project without a key takes over the one that the server gave it; one with a key keeps it as an edit (Y1)', () => {
  expect(pulled('projects', { name: 'P', key: null }, { name: 'P', key: 'P' })).toMatchObject({
    key: 'P',
    _status: 'synced',
  });
  const edited = pulled('projects', { name: 'P', key: 'OWN' }, { name: 'P', key: 'P' });
  expect(edited.key).toBe('OWN');
  expect(Object.keys(readBase(edited)?.columns ?? {})).toEqual(['key']);
});

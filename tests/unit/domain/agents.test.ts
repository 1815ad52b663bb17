import { describe, expect, it } from 'vitest';
import { haltIn, type OwnMembership, PAUSED_MESSAGE } from '@/domain/agents';

const membership = (workspace_id: string, isPaused: boolean): OwnMembership => ({
  workspace_id,
  workspace_name: `Workspace ${workspace_id}`,
  paused_at: isPaused ? '2026-03-01T09:00:00.000Z' : null,
});

describe('an agent', () => {
  it('has to stop where it is paused or no member, and nowhere else (A3, A7)', () => {
    const [free, paused] = [membership('a', false), membership('b', true)];
    expect(haltIn([free], null)).toBeNull();
    expect(haltIn([free, paused], 'a')).toBeNull();
    expect(haltIn([free, paused], 'b')).toMatchObject({ code: 'paused', message: PAUSED_MESSAGE });
    expect(haltIn([paused], null)).toMatchObject({ code: 'paused', message: PAUSED_MESSAGE });
    expect(haltIn([free], 'c')).toMatchObject({ kind: 'rejected', code: 'revoked' });
    expect(haltIn([], null)).toMatchObject({ code: 'revoked' });
  });

  it('that is paused in one of several workspaces is told in which', () => {
    const halt = haltIn([membership('a', false), membership('b', true)], null);
    expect(halt).toMatchObject({ code: 'paused', message: expect.stringContaining('"Workspace b"') });
  });
});

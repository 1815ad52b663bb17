import { expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { endedAgents } from '@/domain/agents';
import type { Activity } from '@/domain/entities';

const entry = (details: Json, activity_type = 'agent_ended') =>
  ({
    activity_type,
    details,
    entity_id: 'm1',
    actor_id: null,
    created_at: '2026-01-05T10:00:00.000Z',
  }) as Activity;

it('agents that ended are read out of the feed, whatever the details hold (A4)', () => {
  const told = { agent: 'u2', name: 'Bot', made_by: 'u1', maker_name: 'Mara', why: 'left' };
  expect(endedAgents([entry({ text: 'x' }, 'comment'), entry(told)])).toEqual([
    {
      member_id: 'm1',
      user_id: 'u2',
      name: 'Bot',
      made_by: 'u1',
      maker_name: 'Mara',
      why: 'left',
      ended_by: null,
      ended_at: '2026-01-05T10:00:00.000Z',
    },
  ]);
  for (const details of [null, [], 'x', 7, { why: 'toString', name: ['x'], agent: {} }] as Json[]) {
    expect(endedAgents([entry(details)])).toMatchObject([{ why: null, name: null, user_id: null }]);
  }
});

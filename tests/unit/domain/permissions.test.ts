import { describe, expect, it } from 'vitest';
import { isLastOwner, type Member, managesMembers, refusalOf } from '@/domain/permissions';
import type { WritePlan } from '@/domain/writes/plan';
import { standard, uuid, WORKSPACE } from './writes/planning';

const plan = (values: Partial<WritePlan>): WritePlan => ({
  workspaceId: WORKSPACE,
  changes: [],
  activities: [],
  answer: null,
  ...values,
});
const update = (values: Record<string, null | string>) =>
  plan({ changes: [{ op: 'update', table: 'tasks', id: uuid(1), values }] });
const insert = (workflow_id: string | null) =>
  plan({ changes: [{ op: 'insert', table: 'tasks', id: uuid(1), values: { workflow_id } }] });

const owner: Member = { role: 'owner', kind: 'human' };
const agent: Member = { role: 'agent', kind: 'agent' };
const owningAgent: Member = { role: 'owner', kind: 'agent' };
const viewer: Member = { role: 'viewer', kind: 'human' };

const codeOf = (refused: ReturnType<typeof refusalOf>) => refused && [refused.code, refused.column];

describe('what a member is refused beforehand', () => {
  it('a change that the role may not make, with the role in the message', () => {
    expect(refusalOf(update({ title: 'x' }), viewer, null)).toMatchObject({
      kind: 'rejected',
      code: 'forbidden',
      message: expect.stringContaining('viewer'),
    });
    expect(codeOf(refusalOf(update({ title: 'x' }), null, null))).toEqual(['forbidden', null]);
    expect(refusalOf(update({ title: 'x' }), agent, null)).toBeNull();
    expect(refusalOf(plan({}), null, null)).toBeNull();
  });

  it('the workflow of a task, to an agent of any role; a new task without one is free', () => {
    const forbidden = ['forbidden', 'workflow_id'];
    for (const member of [agent, owningAgent]) {
      expect(codeOf(refusalOf(update({ workflow_id: null }), member, null))).toEqual(forbidden);
      expect(codeOf(refusalOf(insert(uuid(5)), member, null))).toEqual(forbidden);
      expect(refusalOf(insert(null), member, null)).toBeNull();
    }
    expect(refusalOf(update({ workflow_id: uuid(5) }), owner, null)).toBeNull();
  });

  it('a move past a checkpoint, to all but human owners and editors; nothing where the workflow is unknown (R4)', () => {
    const move = { workflowId: standard.id, from: 'PLAN', to: 'IMPLEMENT', finishes: false };
    const moved = { ...update({ current_stage: 'IMPLEMENT' }), move };
    for (const member of [agent, owningAgent]) {
      expect(codeOf(refusalOf(moved, member, standard))).toEqual(['checkpoint', 'current_stage']);
      expect(refusalOf(moved, member, null)).toBeNull();
    }
    expect(refusalOf(moved, owner, standard)).toBeNull();
    expect(refusalOf({ ...moved, move: { ...move, to: 'PLAN_REVIEW' } }, agent, standard)).toBeNull();
  });

  it('the return of what the member could neither create nor delete (U26)', () => {
    const restore = (restores: NonNullable<WritePlan['restores']>) =>
      plan({
        changes: [{ op: 'update', table: 'deletions', id: uuid(1), values: { restored_at: null } }],
        restores,
      });
    expect(refusalOf(restore('tasks'), agent, null)).toBeNull();
    expect(codeOf(refusalOf(restore('milestones'), agent, null))).toEqual(['forbidden', null]);
    expect(codeOf(refusalOf(restore('tasks'), viewer, null))).toEqual(['forbidden', null]);
    expect(refusalOf(restore('workspaces'), owner, null)).toBeNull();
  });
});

describe('who manages members', () => {
  it('owners who are people do, whatever the role of an agent is', () => {
    expect([owner, owningAgent, viewer, agent].map(managesMembers)).toEqual([true, false, false, false]);
  });

  it('the last of them is the only one, agents that own left aside (R2)', () => {
    expect(isLastOwner(owner, [owner, owningAgent, viewer])).toBe(true);
    expect(isLastOwner(owner, [owner, { ...owner }])).toBe(false);
    expect(isLastOwner(viewer, [owner, viewer])).toBe(false);
  });
});

/** Claims, ready, agents and comments as no client of ours asks: other workspaces' ids, wrong types, pauses and ends in the middle. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { askAbout, claim } from '../../support/claims';
import { call, membershipOf } from '../../support/memberships';
import { createTeam, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

async function next(user: SyncUser, request: Json): Promise<{ task: { id: string } | null; open?: number }> {
  const [row] = await database.as(user.id, (connection) =>
    connection.query<{ answer: string }>('select public.get_next_task($1::jsonb)::text as answer', [
      JSON.stringify(request),
    ]),
  );
  return JSON.parse(row?.answer ?? 'null');
}

async function readiness(user: SyncUser, task: string): Promise<unknown> {
  const [row] = await database.as(user.id, (connection) =>
    connection.query<{ answer: unknown }>('select public.get_readiness($1::uuid) as answer', [task]),
  );
  return row?.answer;
}

const pause = (who: SyncUser, member: string, paused: boolean | null) =>
  database.as(who.id, (connection) =>
    connection.query<{ answer: { error?: { code: string } } }>(
      'select public.pause_agent($1::uuid, $2::boolean) as answer',
      [member, paused],
    ),
  );

describe('the next task', () => {
  it('of an id that is none, or of another workspace, is none, and never one of elsewhere (N6, P-PRIVATE)', async () => {
    const other = await createTeam(database);
    expect(await next(team.owner, {})).toMatchObject({ task: { id: team.task } });
    expect(await next(team.owner, { workspace_id: null, project_id: null })).toMatchObject({
      task: { id: team.task },
    });
    for (const id of ['x', '', 7, [], {}, false, randomUUID(), other.workspace, other.project]) {
      for (const name of ['workspace_id', 'project_id']) {
        const request = { [name]: id } as Json;
        expect(await next(team.owner, request), JSON.stringify(request)).toEqual({
          task: null,
          open: 0,
          waiting: [],
        });
      }
    }
    for (const request of [null, [], 'x', 7]) {
      expect(await next(team.stranger, request as Json)).toEqual({ task: null, open: 0, waiting: [] });
    }
    expect(await readiness(team.stranger, team.task)).toBeNull();
  });

  it('is told of tasks that stand under each other, as old data may (N5)', async () => {
    const [one, two] = [0, 1].map(() =>
      team.make.insert('tasks', { title: 'On a circle', milestone_id: team.milestone }),
    );
    const needed = team.make.insert('tasks', { title: 'Needed', milestone_id: team.milestone });
    await team.owner.push([one, two, needed] as NonNullable<typeof one>[]);
    await team.owner.push([
      team.make.insert('task_dependencies', { task_id: two?.id ?? '', depends_on_task_id: needed.id }),
    ]);
    await database.transaction(async (connection) => {
      await connection.execute('set local session_replication_role = replica');
      for (const [task, parent] of [
        [one, two],
        [two, one],
      ]) {
        await connection.query('update public.tasks set parent_task_id = $2::uuid where id = $1::uuid', [
          task?.id ?? '',
          parent?.id ?? '',
        ]);
      }
    });
    expect(await readiness(team.owner, one?.id ?? '')).toMatchObject({
      dependencies: [{ of: two?.id, id: needed.id }],
    });
    expect([team.task, needed.id]).toContain((await next(team.owner, {})).task?.id);
  });
});

describe('an agent that is paused while it has a task', () => {
  it('keeps the claim until its lease is over, may release it, and has nothing new (C11, A7)', async () => {
    expect(await claim(team.agent, team.task, 'a')).toMatchObject({ claim: { claim_id: 'a' } });
    const member = await membershipOf(team.agent);
    await pause(team.owner, member, true);
    const paused = { error: { code: 'paused' } };
    expect(await claim(team.agent, team.task, 'a')).toMatchObject(paused);
    expect(await claim(team.agent, team.task, 'b', { resume: 'a' })).toMatchObject(paused);
    expect(await askAbout(team.agent, 'renew_claim', { task_id: team.task, claim_id: 'a' })).toMatchObject(
      paused,
    );
    expect(await claim(team.editor, team.task, 'e')).toMatchObject({ taken: { claimed_by: team.agent.id } });
    expect(await askAbout(team.agent, 'release_claim', { task_id: team.task, claim_id: 'a' })).toMatchObject({
      released: true,
    });
    expect(await claim(team.editor, team.task, 'e')).toMatchObject({ claim: { claimed_by: team.editor.id } });
  });

  it('whose task leaves a checkpoint meanwhile holds nobody up for longer than a lease (C4, C5)', async () => {
    await claim(team.agent, team.task, 'a', { minutes: 1 });
    await team.agent.push([team.make.update('tasks', team.task, null, { current_stage: 'PLAN_REVIEW' })]);
    await pause(team.owner, await membershipOf(team.agent), true);
    await team.owner.push([team.make.update('tasks', team.task, null, { current_stage: 'IMPLEMENT' })]);
    await database.query(
      `update public.tasks set claimed_until = now() - interval '1 second' where id = $1::uuid`,
      [team.task],
    );
    expect(await claim(team.editor, team.task, 'e')).toMatchObject({ claim: { claimed_by: team.editor.id } });
  });
});

describe('a claim', () => {
  it('is not taken with the session of somebody else, whatever resume says (C9)', async () => {
    await claim(team.agent, team.task, 'a');
    for (const user of [team.owner, team.editor]) {
      for (const resume of ['a', '', 'b']) {
        const answer = await claim(user, team.task, 'a', { resume });
        expect(answer).toMatchObject({ taken: { claimed_by: team.agent.id } });
      }
      const other = { task_id: team.task, claim_id: 'a' };
      expect(await askAbout(user, 'renew_claim', other)).toMatchObject({
        lost: { claimed_by: team.agent.id },
      });
    }
    // People who own or edit the workspace may release it (C11), and nobody else.
    const other = { task_id: team.task, claim_id: 'a' };
    expect(await askAbout(team.viewer, 'release_claim', other)).toMatchObject({ released: false });
  });

  it('of a task whose milestone or project was deleted is not found, and the task comes back without (C6)', async () => {
    await claim(team.agent, team.task, 'a');
    const deletion_id = randomUUID();
    await team.owner.push([team.make.delete('projects', team.project, 9_999, { values: { deletion_id } })]);
    for (const name of ['claim_task', 'renew_claim', 'release_claim'] as const) {
      const request = { task_id: team.task, claim_id: 'a' };
      expect(await askAbout(team.agent, name, request)).toMatchObject({ error: { code: 'not_found' } });
    }
    await team.owner.push([
      team.make.update('deletions', deletion_id, null, { restored_at: '2026-01-01T00:00:00Z' }),
    ]);
    expect(await claim(team.editor, team.task, 'e')).toMatchObject({ claim: { claimed_by: team.editor.id } });
  });

  it('goes with its task to another milestone (C2)', async () => {
    const elsewhere = team.make.insert('milestones', { name: 'Other', project_id: team.project });
    await claim(team.agent, team.task, 'a');
    await team.owner.push([
      elsewhere,
      team.make.update('tasks', team.task, null, { milestone_id: elsewhere.id }),
    ]);
    expect(await claim(team.agent, team.task, 'a')).toMatchObject({ claim: { claim_id: 'a' } });
    expect(await claim(team.editor, team.task, 'e')).toMatchObject({ taken: { claimed_by: team.agent.id } });
  });
});

describe('calls about agents', () => {
  it('say neither yes nor no with null, and are of this workspace alone (A3, A6)', async () => {
    const other = await createTeam(database);
    const member = await membershipOf(team.agent);
    const [none] = await pause(team.owner, member, null);
    expect(none?.answer).toMatchObject({ error: { code: 'malformed' } });
    for (const who of [other.owner, team.viewer, team.agent, team.stranger]) {
      const [answer] = await pause(who, member, true);
      expect(answer?.answer).toMatchObject({ error: { code: 'not_found' } });
      expect(await call(who, 'revoke_agent', member)).toMatchObject({ error: { code: 'not_found' } });
      expect(await call(who, 'create_agent', team.workspace, 'Bot')).toMatchObject({
        error: { code: 'forbidden' },
      });
    }
    expect(await call(team.owner, 'revoke_agent', await membershipOf(team.editor))).toMatchObject({
      error: { code: 'not_found' },
    });
  });
});

describe('a request for review', () => {
  it('is of a task (V1)', async () => {
    const details = { text: 'Look.', stage: 'PLAN_REVIEW' };
    for (const values of [{}, { entity_type: 'tasks', entity_id: team.task }] as Record<string, string>[]) {
      const request = team.make.insert('activity_feed', {
        activity_type: 'review_requested',
        details,
        ...values,
      });
      expect(await team.agent.pushOne(request)).toMatchObject({ code: 'invalid_value' });
    }
  });
});

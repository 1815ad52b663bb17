import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { askAbout, claim, race } from '../../support/claims';
import type { SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

interface Stored {
  revision: string;
  updated_at: Date;
  last_modified_by: string | null;
  claimed_by: string | null;
  claimed_until: Date | null;
  claim_id: string | null;
  status: string;
}

async function stored(id = team.task): Promise<Stored> {
  const [row] = await database.query<Stored>('select * from public.tasks where id = $1', [id]);
  if (!row) throw new Error('There is no such task.');
  return row;
}

const FREE = { claimed_by: null, claimed_until: null, claim_id: null };
const expire = (id = team.task) =>
  database.query(`update public.tasks set claimed_until = now() - interval '1 s' where id = $1`, [id]);
const update = (values: Record<string, Json>, base: number | null = null) =>
  team.make.update('tasks', team.task, base, values);

describe('claims in SQL', () => {
  it('of sixteen agents that ask at once exactly one has the task (C2)', async () => {
    const { agents, answers } = await race(team, team.task);
    const won = answers.flatMap((answer, n) => (answer.claim ? [agents[n]?.id] : []));
    expect(won).toHaveLength(1);
    expect(await stored()).toMatchObject({ claimed_by: won[0] });
    for (const { taken, claim: own } of answers)
      if (!own) expect(taken).toMatchObject({ claimed_by: won[0] });
  });

  it('nobody but the server writes them: what clients push of them is passed over, and the rest is taken (C1)', async () => {
    await claim(team.agent, team.task, 'c');
    const before = await stored();
    const values = { claimed_by: team.editor.id, claimed_until: '2030-01-01T00:00:00.000Z', title: 'Mine' };
    expect(await team.editor.pushOne(update(values), { schema: 1 })).toMatchObject({ outcome: 'applied' });
    expect(await team.editor.pushOne(update({ claimed_by: null, claim_id: 'x' }))).toMatchObject({
      outcome: 'applied',
    });
    const { claimed_by, claimed_until, claim_id } = before;
    expect(await stored()).toMatchObject({ title: 'Mine', claimed_by, claimed_until, claim_id });
    const made = team.make.insert('tasks', {
      title: 'New',
      milestone_id: team.milestone,
      claimed_by: team.editor.id,
    });
    expect(await team.editor.pushOne(made, { schema: 1 })).toMatchObject({ outcome: 'applied' });
    expect(await stored(made.id)).toMatchObject(FREE);
  });

  it('a client of before may expect that nobody has a task (C1, U45)', async () => {
    const wants = () => ({
      ...update({ claimed_by: team.editor.id, title: 'x' }),
      expected: { claimed_by: null },
    });
    expect(await team.editor.pushOne(wants(), { schema: 1 })).toMatchObject({ outcome: 'applied' });
    await claim(team.agent, team.task, 'c');
    expect(await team.editor.pushOne(wants(), { schema: 1 })).toMatchObject({ stale: ['claimed_by'] });
  });

  it('what clients of before left in the columns is no claim (C4)', async () => {
    await database.query(
      `update public.tasks set claimed_by = $2, claimed_until = now() + interval '1 year' where id = $1`,
      [team.task, team.editor.id],
    );
    expect(await claim(team.agent, team.task, 'c')).toMatchObject({ claim: { claimed_by: team.agent.id } });
  });

  it('a deletion conflicts with news, and claims are none (C7, U8)', async () => {
    const seen = team.revision;
    await claim(team.agent, team.task, 'c');
    await expire();
    await claim(team.editor, team.task, 'd');
    expect(await team.owner.pushOne(team.make.delete('tasks', team.task, seen))).toMatchObject({
      outcome: 'applied',
    });
  });

  it.each(['before', 'after', 'in the transaction of'])(
    'news %s a claim are news for a deletion (C7, U8)',
    async (when) => {
      const seen = team.revision;
      const edit = () => team.editor.pushOne(update({ title: 'News' }));
      if (when === 'before') await edit();
      if (when.startsWith('in')) {
        await database.query(
          `with claimed as (update public.tasks set claim_id = 'x' where id = $1 returning id) select * from claimed`,
          [team.task],
        );
        await database.transaction(async (connection) => {
          await connection.query(`update public.tasks set title = 'News' where id = $1`, [team.task]);
          await connection.query(`update public.tasks set claim_id = 'y' where id = $1`, [team.task]);
        });
      } else await claim(team.agent, team.task, 'c');
      if (when === 'after') await edit();
      expect(await team.owner.pushOne(team.make.delete('tasks', team.task, seen))).toMatchObject({
        outcome: 'conflict',
      });
    },
  );

  it('claims change no author and no time, add no entry to the feed, and reach devices all the same (C7)', async () => {
    const before = await stored();
    const { cursors } = await team.viewer.pullAll();
    await claim(team.agent, team.task, 'c');
    const after = await stored();
    expect(after.updated_at).toEqual(before.updated_at);
    expect(after.last_modified_by).toBe(before.last_modified_by);
    const pulled = await team.viewer.pull(cursors);
    expect(pulled.rows.tasks).toMatchObject({ claimed_by: [team.agent.id], claim_id: ['c'] });
    expect(pulled.rows.activity_feed).toBeUndefined();
  });

  it('an edit that has not seen a claim is no conflict, and neither is lost (C7, U5)', async () => {
    await claim(team.agent, team.task, 'c');
    const edit = update({ title: 'Mine', current_stage: 'IMPLEMENT' }, team.revision);
    expect(await team.owner.pushOne(edit)).toMatchObject({ outcome: 'merged' });
    expect(await stored()).toMatchObject({ title: 'Mine', claim_id: 'c' });
  });

  it('a claim is no doubt about what its user has pushed (C7, U20)', async () => {
    const { cursors } = await team.agent.pullAll();
    await claim(team.agent, team.task, 'c');
    const [author] = await database.query<{ author: string | null }>(
      'select author from convoy.scope_revisions where scope_id = $1 order by revision desc limit 1',
      [team.workspace],
    );
    expect(author?.author).toBeNull();
    await team.agent.push(
      [team.make.insert('activity_feed', { task_id: team.task, activity_type: 'comment' })],
      {
        cursors,
      },
    );
  });

  it('a renewal before a third of the lease is over writes nothing (C8)', async () => {
    await claim(team.agent, team.task, 'c', { minutes: 30 });
    const { revision } = await stored();
    const renew = () =>
      askAbout(team.agent, 'renew_claim', { task_id: team.task, claim_id: 'c', minutes: 30 });
    expect(await renew()).toMatchObject({ claim: { claim_id: 'c' } });
    expect((await stored()).revision).toBe(revision);
    await database.query(
      `update public.tasks set claimed_until = now() + interval '19 minutes' where id = $1`,
      [team.task],
    );
    await renew();
    expect(Number((await stored()).claimed_until) - Date.now()).toBeGreaterThan(29 * 60_000);
  });

  it('whoever leaves, is removed, or may only read has no claims any more, and the writer is told (C6)', async () => {
    const [membership] = await database.query<{ id: string }>(
      'select id from public.workspace_members where user_id = $1',
      [team.agent.id],
    );
    const id = membership?.id ?? '';
    await claim(team.agent, team.task, 'c');
    const demoted = await team.owner.push([
      team.make.update('workspace_members', id, null, { role: 'viewer' }),
    ]);
    expect(demoted.effects.rows.tasks).toMatchObject({ id: [team.task], claim_id: [null] });
    expect(await stored()).toMatchObject(FREE);
    expect(await claim(team.agent, team.task, 'c')).toMatchObject({ error: { code: 'forbidden' } });
    await team.owner.push([team.make.update('workspace_members', id, null, { role: 'agent' })]);
    await claim(team.agent, team.task, 'd');
    const removed = await team.owner.push([team.make.delete('workspace_members', id, null)]);
    expect(removed.effects.rows.tasks).toMatchObject({ id: [team.task], claim_id: [null] });
    expect(await claim(team.agent, team.task, 'd')).toMatchObject({ error: { code: 'not_found' } });
  });

  it('a deleted task comes back without a claim (C6)', async () => {
    await claim(team.agent, team.task, 'c');
    const deletion = randomUUID();
    const gone = team.make.delete('tasks', team.task, null, { values: { deletion_id: deletion } });
    expect(await team.owner.pushOne(gone)).toMatchObject({ outcome: 'applied' });
    expect(await claim(team.editor, team.task, 'd')).toMatchObject({ error: { code: 'not_found' } });
    await team.owner.push([
      team.make.update('deletions', deletion, null, { restored_at: '2026-01-01T00:00:00Z' }),
    ]);
    expect(await stored()).toMatchObject(FREE);
  });

  it('a move away from a checkpoint is answered with the lease that it grants (C5, U14)', async () => {
    await claim(team.agent, team.task, 'c');
    await team.agent.push([update({ current_stage: 'PLAN_REVIEW' })]);
    await expire();
    const base = Number((await stored()).revision);
    const answer = await team.owner.push([update({ current_stage: 'IMPLEMENT' }, base)]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }]);
    const [until] = answer.effects.rows.tasks?.claimed_until ?? [];
    expect(Date.parse(String(until)) - Date.now()).toBeGreaterThan(14 * 60_000);
  });

  it('people who are owners or editors release the claim of an agent, and nobody else does (C11)', async () => {
    await claim(team.agent, team.task, 'c');
    const release = (user: SyncUser, claim_id = 'c') =>
      askAbout(user, 'release_claim', { task_id: team.task, claim_id });
    expect(await release(team.viewer)).toMatchObject({ released: false });
    expect(await release(team.editor, 'another')).toMatchObject({ released: false });
    expect(await stored()).toMatchObject({ claimed_by: team.agent.id });
    expect(await release(team.editor)).toMatchObject({ released: true });
    expect(await stored()).toMatchObject(FREE);
    await claim(team.editor, team.task, 'mine');
    expect(await release(team.agent, 'mine')).toMatchObject({ released: false });
    expect(await release(team.owner, 'mine')).toMatchObject({ released: true });
  });

  it('viewers, strangers and nobody claim nothing, and hostile requests are answered (C11)', async () => {
    expect(await claim(team.viewer, team.task, 'c')).toMatchObject({ error: { code: 'forbidden' } });
    expect(await claim(team.stranger, team.task, 'c')).toMatchObject({ error: { code: 'not_found' } });
    expect(await claim(team.owner, randomUUID(), 'c')).toMatchObject({ error: { code: 'not_found' } });
    const other = { task_id: team.task, claim_id: 'c', user_id: team.agent.id };
    expect(await askAbout(team.owner, 'claim_task', other)).toMatchObject({ error: { code: 'wrong_user' } });
    const hostile: Json[] = [
      null,
      7,
      [],
      {},
      { task_id: 'x', claim_id: 'c' },
      { task_id: team.task },
      { task_id: team.task, claim_id: '' },
      { task_id: team.task, claim_id: '\u200b' },
      { task_id: team.task, claim_id: 'x'.repeat(65) },
      { task_id: team.task, claim_id: 'c', minutes: 'long' },
      { task_id: team.task, claim_id: 'c', resume: 7 },
    ];
    for (const name of ['claim_task', 'renew_claim', 'release_claim'] as const) {
      for (const request of hostile) {
        expect(await askAbout(team.owner, name, request), JSON.stringify(request)).toMatchObject({
          error: { code: 'malformed' },
        });
      }
    }
    await expect(
      database.as(null, (connection) => connection.query('select public.claim_task($1::jsonb)', ['{}'])),
    ).rejects.toMatchObject({ sqlState: '42501' });
    for (const minutes of [-1e300, 1e300]) {
      const [task] = [team.make.insert('tasks', { title: 'x', milestone_id: team.milestone })];
      await team.owner.push([task]);
      expect(await claim(team.owner, task.id, 'c', { minutes })).toMatchObject({ claim: { claim_id: 'c' } });
    }
  });
});

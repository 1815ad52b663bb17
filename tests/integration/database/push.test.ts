import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { addMembers, createTeam, createUser, SyncUser } from '../../support/syncUser';
import { database, team, teamForFile } from '../../support/teamDatabase';
import { setPushLimits } from '../../support/work';

teamForFile();

const tasksTitled = (title: string) =>
  database.query<{ id: string }>('select id::text as id from public.tasks where title = $1', [title]);
const newTask = (title: string, more: Partial<PushChange> = {}, of = team) =>
  of.make.insert('tasks', { title, milestone_id: of.milestone }, more);

/** Spellings of a UUID that Postgres takes and Convoy does not. */
const otherSpellings = (id: string) => [`{${id}}`, id.replaceAll('-', ''), `{${id.toUpperCase()}}`];

describe('batches', () => {
  it('a batch that is sent twice is applied once and answered alike (U2)', async () => {
    const changes = [newTask('once'), team.make.update('tasks', team.task, null, { title: 'renamed' })];
    const first = await team.owner.push(changes);
    const again = await team.owner.push(changes, { batch: team.owner.batch });
    team.owner.batch -= 1;
    expect(again).toEqual(first);
    expect(await tasksTitled('once')).toHaveLength(1);
  });

  it('a batch resent by a former member is answered without rows (U41, P-PRIVATE)', async () => {
    const member = await createUser(database);
    await addMembers(database, team.workspace, [member, 'editor']);
    await team.owner.push([team.make.update('tasks', team.task, null, { description: 'for members only' })]);
    const changes = [team.make.update('tasks', team.task, 1, { title: 'by the member' })];
    const first = await member.push(changes);
    expect(first.outcomes).toMatchObject([{ outcome: 'conflict' }]);
    expect(JSON.stringify(first.effects)).toContain('for members only');
    await database.query('update public.workspace_members set deleted_at = now() where user_id = $1::uuid', [
      member.id,
    ]);
    const again = await member.pushRaw(changes, { batch: member.batch });
    expect(again).toEqual({ ...first, effects: { rows: {}, deleted: {} }, revisions: {} });
  });

  it('another batch at or below that number, or of another user, is answered with device_conflict (U2)', async () => {
    const user = new SyncUser(database, team.owner.id);
    await user.push([newTask('first')]);
    await user.push([newTask('second')]);
    const conflict = { error: { code: 'device_conflict' } };
    expect(await user.pushRaw([newTask('other')], { batch: 2 })).toEqual(conflict);
    expect(await user.pushRaw([newTask('older')], { batch: 1 })).toEqual(conflict);
    const other = new SyncUser(database, team.editor.id);
    other.device = user.device;
    expect(await other.pushRaw([], { batch: 2 })).toEqual(conflict);
    expect(await other.pushRaw([newTask('other')], { batch: 3 })).toEqual(conflict);
    expect(await user.pushRaw([], { batch: 3 })).toMatchObject({ batch: 3, outcomes: [] });
    expect(await tasksTitled('other')).toHaveLength(0);
  });

  it('a batch that was taken is settled with its answer, by number and key (U2)', async () => {
    const user = new SyncUser(database, team.owner.id);
    const key = randomUUID();
    const changes = [
      newTask('settled'),
      team.make.update('tasks', team.task, null, { title: 'renamed once' }),
    ];
    const first = await user.push(changes, { key });
    const settlement = { batch: user.batch, key, settle: true };
    expect(await user.pushRaw([], settlement)).toEqual(first);
    expect(await user.pushRaw([], { ...settlement, key: randomUUID() })).toEqual({
      error: { code: 'device_conflict' },
    });
    expect(await tasksTitled('settled')).toHaveLength(1);
  });

  it('a batch that was not taken is void once it is settled, and a late copy of it is refused (U2, P-ONCE)', async () => {
    const user = new SyncUser(database, team.owner.id);
    const key = randomUUID();
    const late = [newTask('arrives late')];
    const isVoid = { void: true, batch: 1, user_id: user.id };
    expect(await user.pushRaw([], { batch: 1, key, settle: true })).toMatchObject(isVoid);
    expect(await user.pushRaw([], { batch: 1, key, settle: true })).toMatchObject(isVoid);
    const conflict = { error: { code: 'device_conflict' } };
    expect(await user.pushRaw(late, { batch: 1, key })).toEqual(conflict);
    expect(await user.pushRaw([], { batch: 1, key: randomUUID(), settle: true })).toEqual(conflict);
    expect(await user.push(late, { batch: 2, key: randomUUID() })).toMatchObject({ batch: 2 });
    expect(await user.pushRaw([], { batch: 1, key, settle: true })).toEqual(conflict);
    expect(await tasksTitled('arrives late')).toHaveLength(1);
  });

  it('nobody settles the batch of another user, nor one of another history (U2, U3)', async () => {
    const user = new SyncUser(database, team.owner.id);
    const key = randomUUID();
    await user.push([newTask('of its user')], { key });
    const other = new SyncUser(database, team.editor.id);
    other.device = user.device;
    const ask = { batch: 1, key, settle: true };
    expect(await other.pushRaw([], ask)).toEqual({ error: { code: 'device_conflict' } });
    expect(await other.pushRaw([], { ...ask, batch: 2 })).toEqual({ error: { code: 'device_conflict' } });
    const cursors = { [team.workspace]: { revision: 1, tag: 'of another history' } };
    expect(await user.pushRaw([], { ...ask, batch: 2, cursors })).toEqual({
      error: { code: 'history_changed' },
    });
    expect(await user.push([newTask('goes on')], { batch: 2 })).toMatchObject({ batch: 2 });
  });

  it('a replayed answer has the rows as they are by then (U2, U14)', async () => {
    const user = new SyncUser(database, team.owner.id);
    const [task] = [newTask('before')];
    await team.editor.push([task]);
    await team.editor.push([team.make.update('tasks', task.id, null, { description: 'of others' })]);
    const mine = [team.make.update('tasks', task.id, 1, { description: 'mine' })];
    const first = await user.push(mine);
    expect(first.outcomes).toMatchObject([{ outcome: 'conflict' }]);
    await team.editor.push([team.make.update('tasks', task.id, null, { description: 'newer' })]);
    const again = await user.push(mine, { batch: user.batch });
    expect(again.outcomes).toEqual(first.outcomes);
    expect(again.effects.rows.tasks?.description).toEqual(['newer']);
    await team.editor.push([team.make.delete('tasks', task.id, null)]);
    user.batch -= 1;
    const last = await user.push(mine, { batch: user.batch });
    expect(last.effects.deleted.tasks).toEqual([task.id]);
  });

  it('a malformed request is answered with an error value, never an exception (U1)', async () => {
    const requests: Record<string, unknown>[] = [
      { device_id: 'x' },
      { key: 'x' },
      { key: null },
      { settle: true },
      { settle: true, key: randomUUID(), changes: [{}] },
      { device_id: 7 },
      { batch: 0 },
      { batch: 'x' },
      { changes: {} },
      { changes: null },
      { cursors: 7 },
      { skip: [] },
    ];
    for (const request of requests) {
      const answer = await team.owner.pushRaw([], request);
      expect(answer, JSON.stringify(request)).toMatchObject({ error: { code: 'malformed' } });
    }
    expect(await team.owner.pushRaw([], { user_id: randomUUID() })).toEqual({
      error: { code: 'wrong_user' },
    });
  });

  it('a batch that is too large is answered with too_large (U1)', async () => {
    const changes = Array.from({ length: 10_001 }, () => 0);
    expect(await team.owner.pushRaw(changes)).toMatchObject({ error: { code: 'too_large' } });
  });

  it('malformed changes are rejected one by one, and the others are applied (U4)', async () => {
    const sound = newTask('among bad ones');
    const good = newTask('a bad one');
    const bad: [unknown, string, string | null][] = [
      [7, 'malformed', null],
      ['x', 'malformed', null],
      [null, 'malformed', null],
      [[], 'malformed', null],
      [{}, 'malformed', null],
      [{ ...good, table: 'auth.users' }, 'unknown_table', null],
      [{ ...good, table: 'profiles' }, 'unknown_table', null],
      [{ ...good, op: 'truncate' }, 'malformed', null],
      [{ ...good, id: 'x' }, 'malformed', 'id'],
      [{ ...good, id: undefined }, 'malformed', 'id'],
      [{ ...good, workspace_id: 7 }, 'malformed', 'workspace_id'],
      [{ ...good, group: 'x' }, 'malformed', null],
      [{ ...good, base: -1 }, 'malformed', null],
      [{ ...good, values: 'x' }, 'malformed', null],
      [{ ...good, values: undefined }, 'malformed', null],
      [{ ...good, edited_at: 'x' }, 'malformed', null],
      [{ ...good, values: { ...good.values, revision: 7 } }, 'unknown_column', 'revision'],
      [{ ...good, values: { ...good.values, deleted_at: null } }, 'unknown_column', 'deleted_at'],
      [{ ...good, values: { ...good.values, nonsense: 1 } }, 'unknown_column', 'nonsense'],
      [
        { ...newTask('bad date'), values: { ...good.values, completion_date: 'soon' } },
        'invalid_value',
        'completion_date',
      ],
      ...['infinity', '-infinity', '0044-03-15 BC', '10000-01-01T00:00:00Z'].flatMap((time) =>
        ['completion_date'].map((column): [unknown, string, string] => [
          { ...newTask(`${column} ${time}`), values: { ...good.values, [column]: time } },
          'invalid_value',
          column,
        ]),
      ),
      [
        team.make.insert('milestones', { name: 'm', project_id: team.project, target_date: 'infinity' }),
        'invalid_value',
        'target_date',
      ],
      [
        { ...newTask('bad id'), values: { ...good.values, assignee_id: 'me' } },
        'invalid_value',
        'assignee_id',
      ],
      [
        { ...newTask('an object'), values: { ...good.values, assignee_id: {} } },
        'invalid_value',
        'assignee_id',
      ],
      [{ ...team.make.insert('workspaces', { name: 'w' }), id: 'x' }, 'malformed', 'id'],
      [
        { ...newTask('bad number'), values: { ...good.values, sort_order: 'x' } },
        'invalid_value',
        'sort_order',
      ],
      [{ ...newTask('bad set'), values: { ...good.values, status: 'x' } }, 'invalid_value', 'status'],
      [{ ...newTask('too long'), values: { ...good.values, title: 'x'.repeat(501) } }, 'too_long', 'title'],
      [{ ...newTask('nothing'), values: { ...good.values, title: null } }, 'invalid_value', 'title'],
      [{ ...newTask('no title'), values: { milestone_id: team.milestone } }, 'invalid_value', 'title'],
      [
        { ...newTask('lost'), values: { ...good.values, milestone_id: randomUUID() } },
        'missing_parent',
        'milestone_id',
      ],
      [
        { ...newTask('flowing'), values: { ...good.values, workflow_id: randomUUID() } },
        'missing_parent',
        'workflow_id',
      ],
    ];
    const answer = await team.owner.pushRaw([...bad.map(([change]) => change), sound]);
    if ('error' in answer) throw new Error(answer.error.code);
    for (const [index, [change, code, column]] of bad.entries()) {
      const expected = { outcome: 'rejected', code, column, message: expect.any(String) };
      expect(answer.outcomes[index], JSON.stringify(change)).toEqual(expected);
    }
    expect(answer.outcomes.at(-1)).toMatchObject({ outcome: 'applied', revision: expect.any(Number) });
    expect(answer.outcomes).toHaveLength(bad.length + 1);
    expect(await tasksTitled('among bad ones')).toHaveLength(1);
  });

  it('ids among the values are stored in one spelling (U4)', async () => {
    const columns: [PushChange, string][] = [
      [newTask('x'), 'milestone_id'],
      [newTask('x'), 'parent_task_id'],
      [newTask('x'), 'workflow_id'],
      [newTask('x'), 'assignee_id'],
      [team.make.update('tasks', team.task, null, {}), 'milestone_id'],
      [team.make.insert('activity_feed', { activity_type: 'comment' }), 'task_id'],
      [team.make.insert('activity_feed', { activity_type: 'comment' }), 'entity_id'],
      [team.make.insert('milestones', { name: 'x' }), 'project_id'],
      [team.make.insert('patterns', { name: 'x' }), 'project_id'],
      [team.make.insert('task_dependencies', {}), 'depends_on_task_id'],
    ];
    for (const [change, column] of columns) {
      for (const spelled of otherSpellings(team.milestone)) {
        const values = { ...change.values, [column]: spelled };
        expect(await team.owner.pushOne({ ...change, values }), `${change.table}.${column}`).toEqual({
          outcome: 'rejected',
          code: 'invalid_value',
          column,
          message: expect.any(String),
        });
      }
    }
  });

  it('ids in capital letters are the same ids (U4)', async () => {
    const own = await createTeam(database);
    const capital = (id: string) => id.toUpperCase();
    const [gone, there] = ['gone', 'there'].map((name) =>
      own.make.insert('milestones', { name, project_id: capital(own.project) }),
    ) as [PushChange, PushChange];
    await own.owner.push([gone, there]);
    await own.owner.push([own.make.delete('milestones', gone.id, null)]);
    const under = (milestone: PushChange) =>
      own.owner.pushOne(own.make.insert('tasks', { title: 'x', milestone_id: capital(milestone.id) }));
    expect(await under(gone)).toEqual({ outcome: 'gone', which: 'parent' });
    expect(await under(there)).toMatchObject({ outcome: 'applied' });

    const move = own.make.update('tasks', own.task, null, { milestone_id: capital(there.id) });
    const answer = await own.owner.push([move]);
    expect(answer.effects.rows.tasks?.milestone_id).toEqual([there.id]);

    const user_id = capital(own.viewer.id);
    const [member] = await database.query<{ id: string }>(
      'select id::text as id from public.workspace_members where workspace_id = $1::uuid and user_id = $2::uuid',
      [own.workspace, user_id],
    );
    const removed = own.make.delete('workspace_members', capital(member?.id ?? ''), null);
    expect(await own.owner.pushOne(removed)).toMatchObject({ outcome: 'applied' });
  });

  it('a record is inserted twice, or changed several times, in one batch (U4)', async () => {
    const first = newTask('twice');
    const answer = await team.owner.push([
      first,
      { ...first, group: 900 },
      team.make.update('tasks', first.id, null, { title: 'twice, renamed' }),
      team.make.update('tasks', first.id, null, { priority: 'low' }),
      team.make.delete('tasks', first.id, null),
    ]);
    expect(answer.outcomes.map((one) => one.outcome)).toEqual([
      'applied',
      'rejected',
      'applied',
      'applied',
      'applied',
    ]);
    const [row] = await database.query(
      'select title, priority, deleted_at is not null as deleted from public.tasks where id = $1::uuid',
      [first.id],
    );
    expect(row).toEqual({ title: 'twice, renamed', priority: 'low', deleted: true });
  });

  it('5,000 inserts and as many updates are applied in one batch (U1)', async () => {
    const own = await createTeam(database);
    // A slow machine must not leave some of them to the next push (U18).
    await setPushLimits(database, '1 hour');
    const inserts = Array.from({ length: 5000 }, (_, n) => newTask(`bulk ${n}`, {}, own));
    const inserted = await own.owner.push(inserts);
    expect(inserted.outcomes.every((one) => one.outcome === 'applied')).toBe(true);
    const base = inserted.revisions[own.workspace]?.revision ?? 0;
    const updated = await own.owner.push(
      inserts.map((one) => own.make.update('tasks', one.id, base, { status: 'in_progress' })),
    );
    expect(updated.outcomes).toEqual(inserts.map(() => ({ outcome: 'applied', revision: base + 1 })));
    expect(updated.effects).toEqual({ rows: {}, deleted: {} });
  });
});

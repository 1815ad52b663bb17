import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { createTeam, createUser, SyncUser } from '../../support/syncUser';
import { database, team, teamForFile } from '../../support/teamDatabase';

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
    const insert = team.make.insert('workspace_members', { user_id: member.id, role: 'editor' });
    await team.owner.push([insert]);
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

  it('another batch at or below that number is answered with device_conflict (U2)', async () => {
    const user = new SyncUser(database, team.owner.id);
    await user.push([newTask('first')]);
    await user.push([newTask('second')]);
    const conflict = { error: { code: 'device_conflict' } };
    expect(await user.pushRaw([newTask('other')], { batch: 2 })).toEqual(conflict);
    expect(await user.pushRaw([newTask('older')], { batch: 1 })).toEqual(conflict);
    const other = new SyncUser(database, team.editor.id);
    other.device = user.device;
    expect(await other.pushRaw([], { batch: 2 })).toEqual(conflict);
    expect(await other.pushRaw([], { batch: 3 })).toMatchObject({ batch: 3, outcomes: [] });
    expect(await tasksTitled('other')).toHaveLength(0);
  });

  it('a malformed request is answered with an error value, never an exception (U1)', async () => {
    const requests: Record<string, unknown>[] = [
      { device_id: 'x' },
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
        null,
      ],
      ...['infinity', '-infinity', '0044-03-15 BC', '10000-01-01T00:00:00Z'].flatMap((time) =>
        ['claimed_until', 'completion_date'].map((column): [unknown, string, string] => [
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
        { ...newTask('an object'), values: { ...good.values, claimed_by: {} } },
        'invalid_value',
        'claimed_by',
      ],
      [{ ...team.make.insert('workspaces', { name: 'w' }), id: 'x' }, 'malformed', 'id'],
      [{ ...newTask('bad number'), values: { ...good.values, sort_order: 'x' } }, 'invalid_value', null],
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
    expect(answer.outcomes.at(-1)).toEqual({ outcome: 'applied', revision: expect.any(Number) });
    expect(answer.outcomes).toHaveLength(bad.length + 1);
    expect(await tasksTitled('among bad ones')).toHaveLength(1);
  });

  it('ids among the values are stored in one spelling (U4)', async () => {
    const columns: [PushChange, string][] = [
      [newTask('x'), 'milestone_id'],
      [newTask('x'), 'parent_task_id'],
      [newTask('x'), 'workflow_id'],
      [newTask('x'), 'assignee_id'],
      [newTask('x'), 'claimed_by'],
      [team.make.update('tasks', team.task, null, {}), 'milestone_id'],
      [team.make.insert('activity_feed', { activity_type: 'comment' }), 'task_id'],
      [team.make.insert('activity_feed', { activity_type: 'comment' }), 'entity_id'],
      [team.make.insert('workspace_members', { role: 'viewer' }), 'user_id'],
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
    const anew = await own.owner.push([
      own.make.insert('workspace_members', { user_id, role: 'editor' }),
      own.make.delete('workspace_members', member?.id ?? '', null),
    ]);
    expect(anew.outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
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

describe('groups', () => {
  it('a refused change takes its group along and no other change (U12)', async () => {
    const before = newTask('before');
    const after = newTask('after');
    const answer = await team.owner.push([
      before,
      newTask('good mate', { group: 500 }),
      newTask('x'.repeat(501), { group: 500 }),
      team.make.update('tasks', team.task, null, { description: 'of the group' }, { group: 500 }),
      after,
    ]);
    expect(answer.outcomes).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'rejected', code: 'group' },
      { outcome: 'rejected', code: 'too_long', column: 'title' },
      { outcome: 'rejected', code: 'group' },
      { outcome: 'applied' },
    ]);
    expect(await tasksTitled('good mate')).toHaveLength(0);
    const rows = await database.query("select 1 from public.tasks where description = 'of the group'");
    expect(rows).toHaveLength(0);
  });

  it('each of many refused changes is found (U12)', async () => {
    const changes = Array.from({ length: 60 }, (_, n) =>
      newTask(n % 7 === 3 ? 'x'.repeat(501) : `culprits ${n}`),
    );
    const { outcomes } = await team.owner.push(changes);
    expect(outcomes.map((one) => one.outcome)).toEqual(
      changes.map((_, n) => (n % 7 === 3 ? 'rejected' : 'applied')),
    );
  });

  it('a group that needs a later one is not refused for it (U12)', async () => {
    const milestone = team.make.insert(
      'milestones',
      { name: 'later', project_id: team.project },
      { group: 9 },
    );
    const task = team.make.insert('tasks', { title: 'sooner', milestone_id: milestone.id }, { group: 1 });
    const culprit = newTask('x'.repeat(501), { group: 5 });
    const { outcomes } = await team.owner.push([milestone, task, culprit]);
    expect(outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied', 'rejected']);
  });

  it('changes under a refused record are blocked, through groups and generations (U11)', async () => {
    const project = team.make.insert('projects', { name: 'x'.repeat(201) });
    const milestone = team.make.insert('milestones', { name: 'm', project_id: project.id });
    const task = team.make.insert('tasks', { title: 'blocked', milestone_id: milestone.id });
    const mate = newTask('mate of a blocked one', { group: task.group });
    const update = team.make.update('tasks', task.id, null, { title: 'later' });
    const { outcomes } = await team.owner.push([project, milestone, task, mate, update, newTask('free')]);
    expect(outcomes).toMatchObject([
      { outcome: 'rejected', code: 'too_long' },
      { outcome: 'blocked', by: project.id },
      { outcome: 'blocked', by: milestone.id },
      { outcome: 'blocked', by: milestone.id },
      { outcome: 'blocked', by: task.id },
      { outcome: 'applied' },
    ]);
  });

  it('parents and children of one batch are applied in any order (U15)', async () => {
    const project = team.make.insert('projects', { name: 'p' });
    const milestone = team.make.insert('milestones', { name: 'm', project_id: project.id });
    const task = team.make.insert('tasks', { title: 't', milestone_id: milestone.id });
    const subtask = team.make.insert('tasks', {
      title: 's',
      milestone_id: milestone.id,
      parent_task_id: task.id,
    });
    const dependency = team.make.insert('task_dependencies', {
      task_id: task.id,
      depends_on_task_id: subtask.id,
    });
    const { outcomes } = await team.owner.push([dependency, subtask, task, milestone, project]);
    expect(outcomes.map((one) => one.outcome)).toEqual(Array(5).fill('applied'));
  });

  it('a dependency can be reversed in one batch (U15)', async () => {
    const [one, other] = [newTask('one'), newTask('other')];
    const there = team.make.insert('task_dependencies', { task_id: one.id, depends_on_task_id: other.id });
    await team.owner.push([one, other, there]);
    const back = team.make.insert('task_dependencies', { task_id: other.id, depends_on_task_id: one.id });
    const { outcomes } = await team.owner.push([back, team.make.delete('task_dependencies', there.id, null)]);
    expect(outcomes.map((outcome) => outcome.outcome)).toEqual(['applied', 'applied']);
  });

  it('one batch adds a stage to a workflow and a task in that stage (U15)', async () => {
    const stage = (name: string, order: number) => ({ name, order, description: '', is_checkpoint: false });
    const workflow = team.make.insert('workflows', { name: 'w', stages: [stage('A', 1)] });
    await team.owner.push([workflow]);
    const { outcomes } = await team.owner.push([
      team.make.insert('tasks', {
        title: 'in B',
        milestone_id: team.milestone,
        workflow_id: workflow.id,
        current_stage: 'B',
      }),
      team.make.update('workflows', workflow.id, null, { stages: [stage('A', 1), stage('B', 2)] }),
    ]);
    expect(outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
  });
});

describe('records that exist already, or no longer', () => {
  it('an update of a deleted or unknown record is answered with gone (U7)', async () => {
    const task = newTask('to be deleted');
    await team.owner.push([task]);
    await team.owner.push([team.make.delete('tasks', task.id, null)]);
    const gone = { outcome: 'gone', which: 'record' };
    expect(await team.owner.pushOne(team.make.update('tasks', task.id, 1, { title: 'x' }))).toEqual(gone);
    expect(await team.owner.pushOne(team.make.update('tasks', randomUUID(), 1, { title: 'x' }))).toEqual(
      gone,
    );
  });

  it('an insert or update under a deleted parent is answered with gone (U7)', async () => {
    const own = await createTeam(database);
    const milestone = own.make.insert('milestones', { name: 'm', project_id: own.project });
    await own.owner.push([milestone]);
    await own.owner.push([own.make.delete('milestones', milestone.id, null)]);
    const gone = { outcome: 'gone', which: 'parent' };
    const insert = own.make.insert('tasks', { title: 'x', milestone_id: milestone.id });
    const activity = own.make.insert('activity_feed', { task_id: insert.id, activity_type: 'comment' });
    const move = own.make.update('tasks', own.task, null, { milestone_id: milestone.id });
    const { outcomes } = await own.owner.push([insert, activity, move]);
    expect(outcomes).toEqual([gone, gone, gone]);
    await own.owner.push([own.make.delete('workspaces', own.workspace, null)]);
    expect(await own.owner.pushOne(own.make.insert('projects', { name: 'x' }))).toEqual(gone);
  });

  it('an update names the workspace of its record, also when the batch inserts it (U7)', async () => {
    const other = await createTeam(database);
    const joins = other.make.insert('workspace_members', { user_id: team.owner.id, role: 'editor' });
    await other.owner.push([joins]);
    const task = newTask('here');
    const { outcomes } = await team.owner.push([
      task,
      other.make.update('tasks', task.id, null, { title: 'there' }),
    ]);
    expect(outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'gone', which: 'record' }]);
  });

  it('an insert that was sent before is applied where equal, and a conflict where not (U9)', async () => {
    const insert = team.make.insert('tasks', {
      title: 'again',
      milestone_id: team.milestone,
      completion_date: '2026-01-02T03:04:05.000Z',
      sort_order: 1.5,
    });
    const [first] = (await team.owner.push([insert])).outcomes;
    const other = new SyncUser(database, team.owner.id);
    expect(await other.pushOne(insert)).toEqual(first);
    const changed = { ...insert, values: { ...insert.values, title: 'else', sort_order: 2 } };
    expect(await other.pushOne(changed)).toMatchObject({
      outcome: 'conflict',
      columns: { title: null, sort_order: null },
    });
    expect(await tasksTitled('else')).toHaveLength(0);
  });

  it('an id of another workspace is answered with id_taken, visible or not (U9, R7)', async () => {
    const elsewhere = await createTeam(database);
    const taken = { outcome: 'rejected', code: 'id_taken', column: 'id', message: expect.any(String) };
    expect(await team.owner.pushOne(newTask('x', { id: elsewhere.task }))).toEqual(taken);
    const workspace = team.make.insert(
      'workspaces',
      { name: 'mine now' },
      { id: elsewhere.workspace, workspace_id: elsewhere.workspace },
    );
    const inside = elsewhere.make.insert('projects', { name: 'inside' });
    const { outcomes } = await team.owner.push([workspace, inside]);
    expect(outcomes).toEqual([taken, { outcome: 'blocked', by: elsewhere.workspace }]);
  });

  it('the same dependency under another id is a duplicate (U10)', async () => {
    const [one, other] = [newTask('one'), newTask('other')];
    const pair = { task_id: one.id, depends_on_task_id: other.id };
    const first = team.make.insert('task_dependencies', pair);
    await team.owner.push([one, other, first]);
    const second = team.make.insert('task_dependencies', pair);
    const mate = team.make.insert(
      'activity_feed',
      { activity_type: 'dependency_added', task_id: one.id },
      { group: second.group },
    );
    const answer = await team.editor.push([second, mate]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'duplicate', of: first.id }, { outcome: 'applied' }]);
    expect(answer.effects.rows.task_dependencies?.id).toEqual([first.id]);

    await team.owner.push([team.make.delete('task_dependencies', first.id, null)]);
    expect(await team.owner.pushOne(team.make.insert('task_dependencies', pair))).toMatchObject({
      outcome: 'applied',
    });
  });

  it('a dependency that is removed and added again in one batch stays (U10)', async () => {
    const [one, other] = [newTask('one'), newTask('other')];
    const pair = { task_id: one.id, depends_on_task_id: other.id };
    const first = team.make.insert('task_dependencies', pair);
    await team.owner.push([one, other, first]);
    const second = team.make.insert('task_dependencies', pair);
    const { outcomes } = await team.owner.push([
      second,
      team.make.delete('task_dependencies', first.id, null),
    ]);
    expect(outcomes.map((outcome) => outcome.outcome)).toEqual(['applied', 'applied']);
    const rows = await database.query<{ id: string }>(
      'select id::text as id from public.task_dependencies where task_id = $1::uuid and deleted_at is null',
      [one.id],
    );
    expect(rows).toEqual([{ id: second.id }]);
  });

  it('a duplicate of a record that the same push deletes is gone (U10)', async () => {
    const own = await createTeam(database);
    const other = newTask('other', {}, own);
    const pair = { task_id: own.task, depends_on_task_id: other.id };
    await own.owner.push([other, own.make.insert('task_dependencies', pair)]);
    const { outcomes } = await own.owner.push([
      own.make.insert('task_dependencies', pair),
      own.make.delete('tasks', other.id, null),
    ]);
    expect(outcomes).toEqual([
      { outcome: 'gone', which: 'record' },
      { outcome: 'applied', revision: expect.any(Number) },
    ]);
  });

  it('the same membership under another id is a duplicate (U10)', async () => {
    const user = await createUser(database);
    const first = team.make.insert('workspace_members', { user_id: user.id, role: 'viewer' });
    await team.owner.push([first]);
    const second = team.make.insert('workspace_members', { user_id: user.id, role: 'viewer' });
    expect(await team.owner.pushOne(second)).toEqual({ outcome: 'duplicate', of: first.id });
  });
});

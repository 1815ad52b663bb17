import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Json, PushChange } from '@/core/protocol';
import { mayWrite } from '@/domain/permissions';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { openDatabase, refusalOf, type TestDatabase } from '../../support/database';
import {
  addMembers,
  Changes,
  createTeam,
  createUser,
  type SyncUser,
  type Team,
} from '../../support/syncUser';

const FORBIDDEN = { outcome: 'rejected', code: 'forbidden', column: null, message: expect.any(String) };
const STAGES = [{ name: 'PLAN', order: 1, description: '', is_checkpoint: false }];

const claim = (workspace: string, values: Record<string, Json> = {}) =>
  new Changes(workspace).insert('workspaces', { name: 'Mine now', ...values }, { id: workspace });

const rowsIn = (workspace: string, table: SyncedTable) =>
  database.query(
    `select to_jsonb(t) ->> 'id' as id, to_jsonb(t) as row from public.${table} t
    where workspace_id = $1::uuid order by id`,
    [workspace],
  );

const everythingIn = (workspace: string) =>
  Promise.all(SYNCED_TABLES.map((table) => rowsIn(workspace, table)));

let database: TestDatabase;
let team: Team;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

describe('the table of roles', () => {
  const callers = ['owner', 'editor', 'viewer', 'agent', 'stranger'] as const;
  const operations = ['insert', 'update', 'delete'] as const;
  const cells = callers.flatMap((caller) =>
    SYNCED_TABLES.flatMap((table) => operations.map((operation) => ({ caller, table, operation }))),
  );

  /** A record of each table that the owner has made for the taking. */
  const records = {} as Record<SyncedTable, string>;
  beforeAll(async () => {
    team = await createTeam(database);
    const member = await createUser(database);
    const changes = await sample(member);
    await team.owner.push(Object.values(changes));
    for (const table of SYNCED_TABLES) records[table] = changes[table]?.id ?? '';
    [records.workspace_members = ''] = await addMembers(database, team.workspace, [member, 'viewer']);
    records.workspaces = team.workspace;
    const pattern = team.make.insert('patterns', { name: 'deleted' });
    await team.owner.push([pattern]);
    records.deletions = randomUUID();
    const values = { deletion_id: records.deletions };
    await team.owner.push([team.make.delete('patterns', pattern.id, null, { values })]);
  });

  async function sample(member?: SyncUser): Promise<Partial<Record<SyncedTable, PushChange>>> {
    const user = member ?? (await createUser(database));
    const other = team.make.insert('tasks', { title: 'other', milestone_id: team.milestone });
    const dependency = { task_id: team.task, depends_on_task_id: other.id };
    await team.owner.push([other]);
    return {
      workspace_members: team.make.insert('workspace_members', { user_id: user.id, role: 'viewer' }),
      workflows: team.make.insert('workflows', { name: 'w', stages: STAGES }),
      projects: team.make.insert('projects', { name: 'p' }),
      milestones: team.make.insert('milestones', { name: 'm', project_id: team.project }),
      tasks: team.make.insert('tasks', { title: 't', milestone_id: team.milestone }),
      task_dependencies: team.make.insert('task_dependencies', dependency),
      activity_feed: team.make.insert('activity_feed', { task_id: team.task, activity_type: 'comment' }),
      patterns: team.make.insert('patterns', { name: 'p' }),
      best_practices: team.make.insert('best_practices', { name: 'b' }),
      deletions: team.make.insert('deletions', { restored_at: null }),
    };
  }

  const updates: Record<SyncedTable, Record<string, Json>> = {
    workspaces: { name: 'renamed' },
    workspace_members: { role: 'viewer' },
    workflows: { name: 'renamed' },
    projects: { name: 'renamed' },
    milestones: { name: 'renamed' },
    tasks: { title: 'renamed' },
    task_dependencies: { task_id: randomUUID() },
    activity_feed: { details: {} },
    patterns: { name: 'renamed' },
    best_practices: { name: 'renamed' },
    deletions: { restored_at: '2026-01-05T10:00:00.000Z' },
  };

  it.each(cells.filter((cell) => !(cell.table === 'workspaces' && cell.operation !== 'update')))(
    'section 4: $caller, $operation in $table',
    async ({ caller, table, operation }) => {
      const change =
        operation === 'insert'
          ? (await sample())[table]
          : operation === 'update'
            ? team.make.update(table, records[table], null, updates[table])
            : // A record that is not there tells whether one may, without deleting what others need.
              team.make.delete(table, randomUUID(), null);
      if (!change) throw new Error(`no sample of ${table}`);
      const outcome = await team[caller].pushOne(change);
      const allowed = mayWrite(caller === 'stranger' ? null : caller, table, operation);
      if (caller === 'owner' && table === 'workspace_members' && operation === 'insert') {
        expect(outcome).toMatchObject({ outcome: 'rejected', code: 'needs_invitation' });
      } else if (!allowed) expect(outcome).toEqual(FORBIDDEN);
      else expect(outcome.outcome).toBe(operation === 'delete' ? 'gone' : 'applied');
    },
  );

  it('a viewer promoted to editor may write from then on, and not after the demotion (P-PRIVATE)', async () => {
    const own = await createTeam(database);
    const [row] = await database.query<{ id: string }>(
      'select id::text as id from public.workspace_members where workspace_id = $1::uuid and user_id = $2::uuid',
      [own.workspace, own.viewer.id],
    );
    const write = () => own.viewer.pushOne(own.make.update('tasks', own.task, null, { title: randomUUID() }));
    const turn = (role: string) =>
      own.owner.push([own.make.update('workspace_members', row?.id ?? '', null, { role })]);
    expect(await write()).toEqual(FORBIDDEN);
    await turn('editor');
    expect(await write()).toMatchObject({ outcome: 'applied' });
    await turn('viewer');
    expect(await write()).toEqual(FORBIDDEN);
  });
});

describe('workspaces', () => {
  beforeEach(async () => {
    team = await createTeam(database);
  });

  it('the creator of a workspace owns it (R1)', async () => {
    const workspace = randomUUID();
    const make = new Changes(workspace);
    const answer = await team.stranger.push([
      make.insert('workspaces', { name: 'Own' }, { id: workspace }),
      make.insert('projects', { name: 'first' }),
    ]);
    expect(answer.outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
    expect(answer.effects.rows.workspace_members).toMatchObject({
      user_id: [team.stranger.id],
      role: ['owner'],
      display_name: ['Stella'],
      kind: ['human'],
    });
  });

  it('a workspace keeps at least one owner (R2)', async () => {
    const rows = await database.query<{ id: string; role: string }>(
      'select id::text as id, role from public.workspace_members where workspace_id = $1::uuid',
      [team.workspace],
    );
    const owner = rows.find((row) => row.role === 'owner')?.id ?? '';
    const editor = rows.find((row) => row.role === 'editor')?.id ?? '';
    const refused = { outcome: 'rejected', code: 'last_owner', column: 'role' };
    const role = (id: string, to: string) => team.make.update('workspace_members', id, null, { role: to });
    expect(await team.owner.pushOne(role(owner, 'viewer'))).toMatchObject(refused);
    expect(await team.owner.pushOne(team.make.delete('workspace_members', owner, null))).toMatchObject(
      refused,
    );
    const work = database.query(
      'update public.workspace_members set deleted_at = now() where id = $1::uuid',
      [owner],
    );
    expect(await refusalOf(work)).toBe('SN004');
    const { outcomes } = await team.owner.push([role(owner, 'editor'), role(editor, 'owner')]);
    expect(outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
  });

  it('users cannot write the global scope on any path (R3)', async () => {
    const make = new Changes(GLOBAL_SCOPE_ID);
    const attempts = [
      make.insert('best_practices', { name: 'x' }),
      make.insert('workspaces', { name: 'x' }, { id: GLOBAL_SCOPE_ID }),
      make.insert('workspace_members', { user_id: team.owner.id, role: 'owner' }),
      make.update('workflows', STANDARD_WORKFLOW_ID, null, { stages: STAGES }),
      make.delete('workflows', STANDARD_WORKFLOW_ID, null),
    ];
    const { outcomes } = await team.owner.push(attempts);
    expect(outcomes).toEqual(attempts.map(() => FORBIDDEN));
    const inOwnName = team.make.update('workflows', STANDARD_WORKFLOW_ID, null, { stages: STAGES });
    expect(await team.owner.pushOne(inOwnName)).toEqual({ outcome: 'gone', which: 'record' });
    const takeOver = database.query(
      'insert into public.workspaces (id, workspace_id, name) values ($1::uuid, $1::uuid, $2)',
      [GLOBAL_SCOPE_ID, 'x'],
    );
    expect(await refusalOf(takeOver)).toBe('23514');
  });

  it('the actor of an activity is the caller, whatever was sent (R6)', async () => {
    const activity = team.make.insert('activity_feed', {
      task_id: team.task,
      activity_type: 'comment',
      actor_id: team.owner.id,
      details: {},
    });
    const answer = await team.agent.push([activity]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }]);
    expect(answer.effects.rows).toEqual({});
    const [row] = await database.query<{ actor: string }>(
      'select actor_id::text as actor from public.activity_feed where id = $1::uuid',
      [activity.id],
    );
    expect(row?.actor).toBe(team.agent.id);
  });

  it('an activity cannot be rewritten, even by the service role (R6)', async () => {
    await team.owner.push([
      team.make.insert('activity_feed', { task_id: team.task, activity_type: 'comment' }),
    ]);
    const rewrite = 'update public.activity_feed set details = \'{"x": 1}\' where task_id = $1::uuid';
    expect(await refusalOf(database.query(rewrite, [team.task]))).toBe('SN005');
  });

  it('a foreign row and a missing one answer alike (R7)', async () => {
    const elsewhere = await createTeam(database);
    const attempt = (id: string, workspace: string): PushChange[] => {
      const make = new Changes(workspace);
      return [make.update('tasks', id, 1, { title: 'x' }), make.delete('tasks', id, 1)];
    };
    const answers = [
      await team.owner.push(attempt(elsewhere.task, elsewhere.workspace)),
      await team.owner.push(attempt(randomUUID(), randomUUID())),
    ];
    expect(answers[0]?.outcomes).toEqual(answers[1]?.outcomes);
    expect(answers[0]?.outcomes).toEqual([FORBIDDEN, FORBIDDEN]);
    const own = [
      await team.owner.push(attempt(elsewhere.task, team.workspace)),
      await team.owner.push(attempt(randomUUID(), team.workspace)),
    ];
    expect(own[0]?.outcomes).toEqual(own[1]?.outcomes);
    const insert = (workspace: string) => new Changes(workspace).insert('projects', { name: 'x' });
    expect(await team.owner.pushOne(insert(elsewhere.workspace))).toEqual(FORBIDDEN);
    expect(await team.owner.pushOne(insert(randomUUID()))).toEqual(FORBIDDEN);
  });

  it.each<[string, (workspace: string) => unknown[]]>([
    ['once', (workspace) => [claim(workspace)]],
    ['twice', (workspace) => [claim(workspace), claim(workspace)]],
    ['with a column that is not written', (workspace) => [claim(workspace, { revision: 7 })]],
    ['with a name that is too long', (workspace) => [claim(workspace, { name: 'x'.repeat(201) })]],
  ])('inserting an existing workspace, %s, gives no role in it (P-PRIVATE)', async (_, claims) => {
    const { workspace, make, task, project } = await createTeam(database);
    const [row] = await rowsIn(workspace, 'workspace_members');
    const before = await everythingIn(workspace);
    const attempts = [
      make.update('tasks', task, 0, { title: 'seen' }),
      make.update('tasks', task, null, { title: 'overwritten' }),
      make.update('workspaces', workspace, null, { name: 'overwritten' }),
      make.insert('projects', { name: 'left behind' }),
      make.insert('workspace_members', { user_id: team.stranger.id, role: 'owner' }),
      make.update('workspace_members', String(row?.id), null, { role: 'viewer' }),
      make.delete('tasks', task, null),
      make.delete('projects', project, 0),
      make.delete('workspaces', workspace, null),
      make.update('tasks', randomUUID(), null, { title: 'not there' }),
    ];
    const inserts = claims(workspace);
    const answer = await team.stranger.pushRaw([...inserts, ...attempts]);
    if ('error' in answer) throw new Error(answer.error.code);
    expect(answer.outcomes.slice(0, inserts.length).map((one) => one.outcome)).toEqual(
      inserts.map(() => 'rejected'),
    );
    const blocked = { outcome: 'blocked', by: workspace };
    expect(answer.outcomes.slice(inserts.length)).toEqual(attempts.map(() => blocked));
    expect(answer.effects).toEqual({ rows: {}, deleted: {} });
    expect(answer.revisions).toEqual({});
    expect(await everythingIn(workspace)).toEqual(before);
  });

  it('inserting a deleted workspace, or one whose membership was lost, gives no role in it (P-PRIVATE)', async () => {
    const own = await createTeam(database);
    await database.query('update public.workspace_members set deleted_at = now() where user_id = $1::uuid', [
      own.editor.id,
    ]);
    await own.owner.push([own.make.delete('workspaces', own.workspace, null)]);
    const before = await everythingIn(own.workspace);
    for (const who of [own.stranger, own.editor]) {
      const [deletion] = await rowsIn(own.workspace, 'deletions');
      const restored_at = '2026-01-05T10:00:00.000Z';
      const answer = await who.push([
        claim(own.workspace),
        own.make.update('deletions', String(deletion?.id), null, { restored_at }),
        own.make.update('tasks', own.task, 0, { title: 'seen' }),
        own.make.delete('tasks', own.task, null),
      ]);
      expect(answer.outcomes).toEqual([
        expect.objectContaining({ outcome: 'rejected', code: 'id_taken' }),
        ...Array(3).fill({ outcome: 'blocked', by: own.workspace }),
      ]);
      expect(answer.effects).toEqual({ rows: {}, deleted: {} });
    }
    expect(await everythingIn(own.workspace)).toEqual(before);
  });

  it('a member who inserts the workspace again keeps their role (P-PRIVATE)', async () => {
    const again = claim(team.workspace, { name: 'Workspace' });
    const { outcomes } = await team.viewer.push([
      again,
      team.make.update('tasks', team.task, null, { title: 'not mine' }),
    ]);
    expect(outcomes).toEqual([expect.objectContaining({ outcome: 'applied' }), FORBIDDEN]);
    const write = team.make.update('tasks', team.task, null, { title: 'renamed' });
    expect((await team.editor.push([again, write])).outcomes).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
  });

  it('an insert under a foreign id opens no way to the record (R7)', async () => {
    const elsewhere = await createTeam(database);
    const deleted = elsewhere.make.insert('tasks', { title: 'x', milestone_id: elsewhere.milestone });
    await elsewhere.owner.push([deleted]);
    await elsewhere.owner.push([elsewhere.make.delete('tasks', deleted.id, null)]);
    for (const id of [elsewhere.task, deleted.id]) {
      const answer = await team.owner.push([
        team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }, { id }),
        team.make.update('tasks', id, 0, { title: 'seen' }),
        team.make.delete('tasks', id, 0),
      ]);
      expect(answer.outcomes).toEqual([
        expect.objectContaining({ outcome: 'rejected', code: 'id_taken' }),
        { outcome: 'blocked', by: id },
        { outcome: 'blocked', by: id },
      ]);
      expect(answer.effects).toEqual({ rows: {}, deleted: {} });
    }
  });

  it('a record cannot be put under a foreign parent, and its author learns nothing of that parent (R7)', async () => {
    const elsewhere = await createTeam(database);
    const under = (milestone: string) =>
      team.owner.pushOne(team.make.insert('tasks', { title: 'x', milestone_id: milestone }));
    expect(await under(elsewhere.milestone)).toEqual(await under(randomUUID()));
    const workflow = elsewhere.make.insert('workflows', { name: 'w', stages: STAGES });
    await elsewhere.owner.push([workflow]);
    const following = (id: string) =>
      team.owner.pushOne(
        team.make.insert('tasks', { title: 'x', milestone_id: team.milestone, workflow_id: id }),
      );
    expect(await following(workflow.id)).toEqual(await following(randomUUID()));
  });

  it.each(['{%}', '%'])(
    'a dependency of foreign tasks, spelled %s, reveals nothing of theirs (R7)',
    async (spelling) => {
      const elsewhere = await createTeam(database);
      const other = elsewhere.make.insert('tasks', { title: 'x', milestone_id: elsewhere.milestone });
      const pair = { task_id: elsewhere.task, depends_on_task_id: other.id };
      await elsewhere.owner.push([other, elsewhere.make.insert('task_dependencies', pair)]);
      const between = (from: string, to: string) =>
        team.owner.push([
          team.make.insert('task_dependencies', {
            task_id: spelling.replace('%', from),
            depends_on_task_id: spelling.replace('%', to.toUpperCase()),
          }),
        ]);
      const { outcomes, effects } = await between(elsewhere.task, other.id);
      expect(outcomes).toMatchObject([{ outcome: 'rejected' }]);
      expect(effects).toEqual({ rows: {}, deleted: {} });
      expect(outcomes).toEqual((await between(randomUUID(), randomUUID())).outcomes);
    },
  );

  it('members carry their profile’s name and kind, kept up to date', async () => {
    await database.query(
      `update auth.users set raw_user_meta_data = '{"display_name": "Vera the Second"}' where id = $1::uuid`,
      [team.viewer.id],
    );
    const { pages } = await team.owner.pullAll();
    const members = pages[0]?.rows.workspace_members;
    const at = members?.user_id?.indexOf(team.viewer.id) ?? -1;
    expect(members?.display_name?.[at]).toBe('Vera the Second');
    expect(members?.kind?.[members.user_id?.indexOf(team.agent.id) ?? -1]).toBe('agent');
    const forged = team.make.update('workspace_members', randomUUID(), null, { kind: 'human' });
    expect(await team.owner.pushOne(forged)).toMatchObject({ code: 'unknown_column', column: 'kind' });
  });
});

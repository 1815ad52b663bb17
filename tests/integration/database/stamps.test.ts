/** Clocks, stamps and tombstones, for writers that come by SQL. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../support/database';
import { createTeam } from '../../support/syncUser';
import { database, team, teamForFile } from '../../support/teamDatabase';

teamForFile();

interface TaskRow {
  revision: number;
  fields: Record<string, [number, string]>;
  created: string;
  updated: string;
  deleted: string | null;
  deletion: string | null;
  by: string | null;
}

async function task(id: string): Promise<TaskRow> {
  const [row] = await database.query<TaskRow>(
    `select revision::int as revision, field_revisions as fields, created_at::text as created,
       updated_at::text as updated, deleted_at::text as deleted, deletion_id::text as deletion,
       last_modified_by::text as by
     from public.tasks where id = $1::uuid`,
    [id],
  );
  if (!row) throw new Error(`There is no task ${id}.`);
  return row;
}

async function head(scope = team.workspace): Promise<number> {
  const [row] = await database.query<{ revision: number }>(
    'select revision::int as revision from convoy.scope_clocks where scope_id = $1::uuid',
    [scope],
  );
  return row?.revision ?? -1;
}

async function newTask(title = 'Task'): Promise<string> {
  const id = randomUUID();
  await database.query(
    'insert into public.tasks (id, workspace_id, milestone_id, title) values ($1::uuid, $2::uuid, $3::uuid, $4)',
    [id, team.workspace, team.milestone, title],
  );
  return id;
}

describe('clocks', () => {
  it('a transaction bumps each scope once, however many rows it writes (S2)', async () => {
    const before = await head();
    const [one, other] = [randomUUID(), randomUUID()];
    await database.transaction(async (connection) => {
      for (const id of [one, other]) {
        await connection.query(
          "insert into public.tasks (id, workspace_id, milestone_id, title) values ($1::uuid, $2::uuid, $3::uuid, 'x')",
          [id, team.workspace, team.milestone],
        );
        await connection.query("update public.tasks set title = 'y' where id = $1::uuid", [id]);
      }
    });
    expect(await head()).toBe(before + 1);
    expect((await task(one)).revision).toBe(before + 1);
    expect((await task(other)).revision).toBe(before + 1);
  });

  it('a bump rolled back with a savepoint is made again (S2)', async () => {
    const before = await head();
    const id = await newTask();
    await database.transaction(async (connection) => {
      await connection.execute('savepoint trial');
      await connection.query("update public.tasks set title = 'lost' where id = $1::uuid", [id]);
      await connection.execute('rollback to savepoint trial');
      await connection.query("update public.tasks set title = 'kept' where id = $1::uuid", [id]);
    });
    expect(await head()).toBe(before + 2);
    expect((await task(id)).revision).toBe(before + 2);
  });

  it('a failed transaction leaves the clock unchanged (S2)', async () => {
    const id = await newTask();
    const before = await head();
    const work = database.transaction(async (connection) => {
      await connection.query("update public.tasks set title = 'x' where id = $1::uuid", [id]);
      await connection.query("update public.tasks set status = 'nonsense' where id = $1::uuid", [id]);
    });
    expect(await refusalOf(work)).toBe('23514');
    expect(await head()).toBe(before);
  });

  it('each bump draws and stores its own tag (S4)', async () => {
    await newTask();
    await newTask();
    const [row] = await database.query<{ tags: number; revisions: number; head: boolean }>(
      `select count(distinct r.tag)::int as tags, count(*)::int as revisions,
         bool_or(r.revision = c.revision and r.tag = c.tag) as head
       from convoy.scope_revisions r join convoy.scope_clocks c using (scope_id) where scope_id = $1::uuid`,
      [team.workspace],
    );
    expect(row).toEqual({ tags: row?.revisions, revisions: (await head()) + 1, head: true });
  });

  it('a row of a workspace that does not exist is refused (S2)', async () => {
    const nowhere = randomUUID();
    const work = database.query(
      "insert into public.projects (id, workspace_id, name) values ($1::uuid, $2::uuid, 'x')",
      [randomUUID(), nowhere],
    );
    expect(await refusalOf(work)).toBe('SN008');
  });
});

describe('stamps', () => {
  it('stamp columns are set for every writer, whatever was sent (S5)', async () => {
    const id = randomUUID();
    await database.query(
      `insert into public.tasks (id, workspace_id, milestone_id, title, revision, field_revisions, created_at,
         updated_at, last_modified_by)
       values ($1::uuid, $2::uuid, $3::uuid, 'x', 999, '{"title": [999, null]}', '2999-01-01', '1999-01-01', $1::uuid)`,
      [id, team.workspace, team.milestone],
    );
    const row = await task(id);
    expect(row).toMatchObject({ revision: await head(), fields: {}, by: null, created: row.updated });
    expect(new Date(row.created).getTime()).toBeLessThanOrEqual(Date.now() + 1000);

    await database.query(
      "update public.tasks set title = 'y', revision = 1, created_at = '2001-01-01', updated_at = '2001-01-01' where id = $1::uuid",
      [id],
    );
    const updated = await task(id);
    expect(updated).toMatchObject({ revision: await head(), created: row.created });
    expect(updated.updated >= row.updated).toBe(true);
  });

  it('an earlier creation time is kept (S5)', async () => {
    const id = randomUUID();
    await database.query(
      `insert into public.tasks (id, workspace_id, milestone_id, title, created_at)
       values ($1::uuid, $2::uuid, $3::uuid, 'x', '2020-02-03T04:05:06.789012Z')`,
      [id, team.workspace, team.milestone],
    );
    expect(new Date((await task(id)).created).toISOString()).toBe('2020-02-03T04:05:06.789Z');
  });

  it('last_modified_by is the caller (S5)', async () => {
    await team.editor.push([team.make.update('tasks', team.task, null, { description: 'by the editor' })]);
    expect((await task(team.task)).by).toBe(team.editor.id);
  });

  it('field_revisions holds the columns changed since creation, with the time of the edit (S6)', async () => {
    const id = await newTask();
    await database.query("update public.tasks set title = 'b' where id = $1::uuid", [id]);
    const first = await task(id);
    expect(Object.keys(first.fields)).toEqual(['title']);
    expect(first.fields.title?.[0]).toBe(first.revision);

    await team.owner.push([
      team.make.update(
        'tasks',
        id,
        first.revision,
        { priority: 'high' },
        { edited_at: { priority: new Date().toISOString() } },
      ),
    ]);
    const second = await task(id);
    expect(second.fields.title).toEqual(first.fields.title);
    expect(second.fields.priority?.[0]).toBe(second.revision);
  });

  it.each(['infinity', '-infinity', '0044-03-15 BC', '10000-01-01T00:00:00Z', 'soon', ''])(
    '%j is not taken for an edit time (S5, S6)',
    async (text) => {
      const edited_at = { created_at: text, title: text };
      const insert = team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }, { edited_at });
      await team.owner.push([insert]);
      const made = await task(insert.id);
      expect(made.created).toBe(made.updated);
      await team.owner.push([team.make.update('tasks', insert.id, null, { title: 'y' }, { edited_at })]);
      const { updated, fields } = await task(insert.id);
      expect(Date.parse(fields.title?.[1] ?? '')).toBe(Date.parse(updated));
    },
  );

  it('an edit time is stored in one form, in whatever form it was sent (S6)', async () => {
    const id = await newTask();
    const times = { title: '2020-03-01 10:00+02', description: 'epoch', priority: '2020-03-01T08:00:00.5Z' };
    const values = { title: 'b', description: 'b', priority: 'high' };
    await team.owner.push([team.make.update('tasks', id, null, values, { edited_at: times })]);
    const { fields } = await task(id);
    expect(Object.entries(fields).map(([name, [, time]]) => [name, time])).toEqual([
      ['title', '2020-03-01T08:00:00.000000Z'],
      ['priority', '2020-03-01T08:00:00.500000Z'],
      ['description', '1970-01-01T00:00:00.000000Z'],
    ]);
  });

  it('an update that changes nothing leaves the row unstamped (S5)', async () => {
    const id = await newTask('same');
    const before = await task(id);
    await database.query("update public.tasks set title = 'same', revision = 1 where id = $1::uuid", [id]);
    expect(await task(id)).toEqual(before);
    expect(await head()).toBe(before.revision);
  });

  it('a row stays in its workspace (S1)', async () => {
    const elsewhere = await createTeam(database);
    const id = await newTask();
    const work = database.query('update public.tasks set workspace_id = $2::uuid where id = $1::uuid', [
      id,
      elsewhere.workspace,
    ]);
    expect(await refusalOf(work)).toBe('SN005');
  });

  it('a row cannot be put under a parent of another workspace (S1)', async () => {
    const elsewhere = await createTeam(database);
    const work = database.query(
      "insert into public.tasks (id, workspace_id, milestone_id, title) values ($1::uuid, $2::uuid, $3::uuid, 'x')",
      [randomUUID(), team.workspace, elsewhere.milestone],
    );
    expect(await refusalOf(work)).toBe('23503');
  });
});

describe('tombstones', () => {
  it('rows are erased by a purge alone (S5)', async () => {
    const id = await newTask();
    const erase = 'delete from public.tasks where id = $1::uuid';
    expect(await refusalOf(database.query(erase, [id]))).toBe('SN007');
    await database.transaction(async (connection) => {
      await connection.query("select set_config('convoy.purge', 'on', true)");
      await connection.query(erase, [id]);
    });
    expect(await database.query('select 1 from public.tasks where id = $1::uuid', [id])).toEqual([]);
    const other = await newTask();
    expect(await refusalOf(database.query(erase, [other]))).toBe('SN007');
  });

  it('a deletion deletes the live descendants under one deletion_id, but no memberships (U8)', async () => {
    const own = await createTeam(database);
    const subtask = own.make.insert('tasks', {
      title: 'sub',
      milestone_id: own.milestone,
      parent_task_id: own.task,
    });
    const dependency = own.make.insert('task_dependencies', {
      task_id: own.task,
      depends_on_task_id: subtask.id,
    });
    const activity = own.make.insert('activity_feed', { task_id: subtask.id, activity_type: 'comment' });
    const pattern = own.make.insert('patterns', { project_id: own.project, name: 'p' });
    const practice = own.make.insert('best_practices', { name: 'of the workspace' });
    const gone = own.make.insert('projects', { name: 'deleted before' });
    await own.owner.push([subtask, dependency, activity, pattern, practice, gone]);
    await own.owner.push([own.make.delete('projects', gone.id, null)]);

    await own.owner.push([own.make.delete('projects', own.project, null)]);
    const deletions = async (table: string) =>
      database.query<{ id: string; deletion: string | null }>(
        `select id::text as id, deletion_id::text as deletion from public.${table} where workspace_id = $1::uuid`,
        [own.workspace],
      );
    const projects = await deletions('projects');
    const deletion = projects.find((row) => row.id === own.project)?.deletion;
    expect(deletion).toEqual(expect.any(String));
    expect(projects.find((row) => row.id === gone.id)?.deletion).not.toBe(deletion);
    for (const table of ['milestones', 'tasks', 'task_dependencies', 'activity_feed', 'patterns']) {
      for (const row of await deletions(table)) expect(row.deletion, table).toBe(deletion);
    }
    expect((await deletions('best_practices')).map((row) => row.deletion)).toEqual([null]);

    await own.owner.push([own.make.delete('workspaces', own.workspace, null)]);
    expect((await deletions('best_practices'))[0]?.deletion).toEqual(expect.any(String));
    for (const row of await deletions('workspace_members')) expect(row.deletion).toBeNull();
  });
});

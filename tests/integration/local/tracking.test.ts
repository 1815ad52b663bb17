import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { type ConvoyDatabase, Milestone, Project, Task } from '@/lib/watermelon';
import { readBase, UNCONFIRMED } from '@/lib/watermelon/models/tracking';
import { Q, type Raw } from '@/lib/watermelon/models/watermelondb';
import { prepareDeletion } from '@/lib/watermelon/sync/records/cascade';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

let folder: ReturnType<typeof temporaryFolder>;
let database: ConvoyDatabase;

beforeEach(async () => {
  folder = temporaryFolder();
  database = await openLocalDatabase(folder.path);
});
afterEach(() => folder.remove());

const tasks = () => database.of(Task);

async function createTask(title: string): Promise<Task> {
  return database.write(() =>
    tasks().create((task) => {
      task.workspaceId = GLOBAL_SCOPE_ID;
      task.title = title;
    }),
  );
}

/** The record as the sync engine leaves it after the server acknowledged it. */
async function acknowledge(task: Task, revision: number): Promise<void> {
  await database.write(async () => {
    const raw: Raw = { ...task.raw, _status: 'synced', _changed: '', sync_base: null, revision };
    await database.batch(task.prepareReplace(raw));
  });
}

function storedRows(table: string): Record<string, unknown>[] {
  const file = new Sqlite(join(folder.path, 'local.db'), { readonly: true });
  try {
    return file.prepare(`select * from ${table}`).all() as Record<string, unknown>[];
  } finally {
    file.close();
  }
}

describe('tracking of unsynced edits', () => {
  it('a deletion that takes a marked record along has seen nothing of the scope (P13, U8)', async () => {
    database.standing.noteSeen(GLOBAL_SCOPE_ID, 27);
    const [parent, child] = [await createTask('parent'), await createTask('child')];
    await acknowledge(parent, 20);
    await acknowledge(child, 20);
    const seenBy = async () => {
      await database.write(() => database.batch(prepareDeletion([parent, child], parent.id)));
      return [parent, child].map(({ raw }) => readBase(raw)?.deletion?.seen);
    };
    expect(await seenBy()).toEqual([27, 27]);
    await acknowledge(parent, 20);
    await acknowledge(child, UNCONFIRMED);
    expect(await seenBy()).toEqual([0, 0]);
  });

  it('is_synced and sync_status follow WatermelonDB, in memory and on disk (D1)', async () => {
    const step = fc.record({
      at: fc.nat(5),
      what: fc.constantFrom('create', 'edit', 'touch', 'delete', 'acknowledge') as fc.Arbitrary<string>,
      text: fc.string({ maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await database.write(() => database.unsafeResetDatabase());
        let revision = 1;
        for (const { at, what, text } of steps) {
          const all = await tasks().query().fetch();
          const task = all[at % Math.max(all.length, 1)];
          if (what === 'create' || !task) await createTask(text);
          else if (what === 'edit') {
            await database.write(() =>
              task.update((draft) => {
                draft.title = text;
              }),
            );
          } else if (what === 'touch') await database.write(() => task.update());
          else if (what === 'delete') await database.write(() => task.markAsDeleted());
          else {
            revision += 1;
            await acknowledge(task, revision);
          }
        }
        for (const task of await tasks().query().fetch()) {
          expect(task.syncStatus).toBe(task.raw._status);
          expect(task.isSynced).toBe(task.raw._status === 'synced');
          expect(readBase(task.raw) === null).toBe(task.isSynced);
        }
        for (const row of storedRows('tasks')) {
          expect(row.sync_status).toBe(row._status);
          expect(row.is_synced).toBe(row._status === 'synced' ? 1 : 0);
          expect(row.sync_base === null).toBe(row._status === 'synced');
        }
        const dirty = await tasks().query(Q.where('is_synced', false)).fetchCount();
        expect(dirty).toBe(
          await tasks()
            .query(Q.where('_status', Q.notEq('synced')))
            .fetchCount(),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('the base stays the value last in step, through several edits (D2)', async () => {
    const task = await createTask('first');
    await acknowledge(task, 7);
    await database.write(() =>
      task.update((draft) => {
        draft.title = 'second';
      }),
    );
    await database.write(() =>
      task.update((draft) => {
        draft.title = 'third';
        draft.priority = 'high';
      }),
    );
    const base = readBase(task.raw);
    expect(base).toMatchObject({
      revision: 7,
      columns: { title: { value: 'first' }, priority: { value: '' } },
    });
  });

  it('an update to the same value leaves the record clean (D2)', async () => {
    const task = await createTask('same');
    await acknowledge(task, 7);
    await database.write(() =>
      task.update((draft) => {
        draft.title = 'same';
      }),
    );
    expect(task.syncStatus).toBe('synced');
  });

  it('the writes of one batch form a group, single writes none (D3)', async () => {
    const alone = await createTask('alone');
    const [one, other] = [await createTask('one'), await createTask('other')];
    await database.write(() =>
      database.batch(
        one.prepareUpdate((draft) => {
          draft.title = 'a';
        }),
        other.prepareUpdate((draft) => {
          draft.title = 'b';
        }),
      ),
    );
    expect(readBase(alone.raw)?.groups).toEqual([]);
    expect(readBase(one.raw)?.groups).toHaveLength(1);
    expect(readBase(other.raw)?.groups).toEqual(readBase(one.raw)?.groups);
  });

  it('a record that is edited again and again keeps one group for each column, and joins nobody else’s (D3, D35)', async () => {
    const often = await createTask('edited often');
    await acknowledge(often, 7);
    const others: Task[] = [];
    for (let n = 0; n < 40; n += 1) {
      const other = await createTask(`written with edit ${n}`);
      await acknowledge(other, 7);
      others.push(other);
      await database.write(() =>
        database.batch(
          often.prepareUpdate((draft) => {
            draft.title = `edit ${n}`;
          }),
          other.prepareUpdate((draft) => {
            draft.title = `told of edit ${n}`;
          }),
        ),
      );
    }
    const groupOf = (task: Task) => readBase(task.raw)?.columns.title?.group;
    expect(new Set(others.map(groupOf)).size).toBe(40);
    expect(groupOf(often)).toBe(groupOf(others[39] as Task));
    expect(readBase(often.raw)?.groups).toEqual([]);
  });

  it('an edit takes along what its record has of the action it builds on, and leaves that action its other records (D3)', async () => {
    const [one, other] = [await createTask('one'), await createTask('other')];
    for (const task of [one, other]) await acknowledge(task, 7);
    const batch = (change: (draft: Task) => void, ...tasks: Task[]) =>
      database.write(() => database.batch(...tasks.map((task) => task.prepareUpdate(change as never))));
    const setColumns = (values: Partial<Task>) => (draft: Task) => void Object.assign(draft, values);
    await batch(setColumns({ title: 'a', priority: 'high' }), one, other);
    await batch(setColumns({ description: 'apart' }), one, other);
    const third = await createTask('third');
    await batch(setColumns({ title: 'b' }), one, third);
    const groupsOf = (task: Task) =>
      ['title', 'priority', 'description'].map((name) => readBase(task.raw)?.columns[name]?.group);
    const [title, priority, description] = groupsOf(one);
    expect(priority).toBe(title);
    expect(groupsOf(other)[2]).toBe(description);
    expect(groupsOf(other)).not.toContain(title);
  });

  it('a failed batch leaves its records in memory unchanged (P-NOLOSS)', async () => {
    const task = await createTask('kept');
    const twin = tasks().prepareCreateFromDirtyRaw({ ...task.raw });
    await expect(
      database.write(() =>
        database.batch(
          task.prepareUpdate((draft) => {
            draft.title = 'lost';
          }),
          twin,
        ),
      ),
    ).rejects.toThrow();
    expect(task.title).toBe('kept');
    expect(storedRows('tasks').map((row) => row.title)).toEqual(['kept']);
  });
});

describe('models', () => {
  it('relate workspaces, projects, milestones, tasks and subtasks', async () => {
    const created = await database.write(async () => {
      const project = await database.of(Project).create((draft) => {
        draft.name = 'P';
      });
      const milestone = await database.of(Milestone).create((draft) => {
        draft.name = 'M';
        draft.projectId = project.id;
      });
      const parent = await tasks().create((draft) => {
        draft.title = 'parent';
        draft.milestoneId = milestone.id;
      });
      const child = await tasks().create((draft) => {
        draft.title = 'child';
        draft.milestoneId = milestone.id;
        draft.parentTaskId = parent.id;
      });
      return { project, milestone, parent, child };
    });
    expect(await created.project.milestones.fetch()).toEqual([created.milestone]);
    expect((await created.milestone.tasks.fetch()).length).toBe(2);
    expect(await created.parent.subtasks.fetch()).toEqual([created.child]);
    expect(await created.child.parentTask.fetch()).toBe(created.parent);
    expect(await created.child.milestone.fetch()).toBe(created.milestone);
    expect(await (await created.milestone.project.fetch())?.milestones.fetchCount()).toBe(1);
  });
});

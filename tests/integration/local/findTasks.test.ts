import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containsText } from '@/domain/search';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { findTasks } from '@/lib/watermelon/lists';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

const TITLES = [
  'Keep the CRANE open',
  'Überprüfung der Kräne',
  'Überprüfung der Kräne'.normalize('NFD'),
  '检查任务清单',
  '100% of the quay',
  'a_b',
  "the inspector's \\ notes",
];

let folder: ReturnType<typeof temporaryFolder>;
let database: ConvoyDatabase;
beforeEach(async () => {
  folder = temporaryFolder();
  database = await openLocalDatabase(folder.path);
  await database.write(async () => {
    const create = async (table: 'projects' | 'milestones' | 'tasks', columns: Record<string, string>) =>
      database.records(table).create((draft) => {
        draft.raw.workspace_id = 'workspace';
        for (const [name, value] of Object.entries(columns)) draft.setColumn(name, value);
      });
    const project = await create('projects', { name: 'P' });
    for (const name of ['M', 'Other']) {
      const milestone = await create('milestones', { name, project_id: project.id });
      for (const title of TITLES) await create('tasks', { title, milestone_id: milestone.id });
    }
  });
});
afterEach(async () => {
  await database.close();
  folder.remove();
});

describe('tasks by a part of their title', () => {
  it.each(['crane', 'KRÄNE', 'kräne'.normalize('NFD'), '任务', '务任', '%', '0%', '_', "'", '\\', '', ' '])(
    'for %j are those that a person would find, of any milestone and of one',
    async (text) => {
      const wanted = TITLES.filter((title) => containsText(title, text));
      const [milestone] = await database.records('milestones').query().fetch();
      const inOne = await findTasks(database, text, { milestone_id: milestone?.id ?? '' }, 50);
      expect(inOne.map(({ title }) => title).sort()).toEqual([...wanted].sort());
      expect(await findTasks(database, text, {}, 50)).toHaveLength(2 * wanted.length);
      expect(await findTasks(database, text, {}, 1)).toHaveLength(Math.min(1, wanted.length));
    },
  );
});

describe('tasks by their key', () => {
  it.each(['FIELD-2', 'field 2', 'field2', '2'])(
    'for %j it is the task that has it, before one that has it in its title, and no other',
    async (text) => {
      await database.write(async () => {
        const [first, second, third] = await database.records('tasks').query().fetch();
        await first?.update((draft) => {
          draft.raw.key = 'FIELD-1';
          draft.setColumn('title', `Follows ${text}`);
        });
        await second?.update((draft) => {
          draft.raw.key = 'FIELD-2';
        });
        await third?.update((draft) => {
          draft.raw.key = 'FIELD-22';
        });
      });
      const keys = async (limit: number) =>
        (await findTasks(database, text, {}, limit)).map(({ key }) => key);
      expect(await keys(50)).toEqual(['FIELD-2', 'FIELD-1']);
      expect(await keys(1)).toEqual(['FIELD-2']);
    },
  );
});

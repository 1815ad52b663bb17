/** The reviews of a device whose closed milestones are full of tasks that were left at a checkpoint. */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MOST_IN_INBOX } from '@/domain/inbox';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { readInbox } from '@/lib/watermelon/context/inbox';
import type { LocalFirst } from '@/lib/watermelon/context/localFirst';
import { LocalStore } from '@/lib/watermelon/context/localStore';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

const USER = '01a22895-27f8-734e-969e-5b8fbac9aea3';
const STORED = `"_changed", "_status", "sync_status", "is_synced", "revision", "workspace_id", "created_at"`;
const AS_SYNCED = `'', 'synced', '', 1, 1, 'w', 1`;
/** Of 300 milestones every third is closed, and so is every tenth project. */
const PLACES = 300;
const isOpen = (place: number) => place % 3 !== 0 && place % 10 !== 0;

let folder: ReturnType<typeof temporaryFolder>;
let database: ConvoyDatabase;
let file: InstanceType<typeof Sqlite>;

beforeEach(async () => {
  folder = temporaryFolder();
  database = await openLocalDatabase(folder.path);
  file = new Sqlite(join(folder.path, 'local.db'));
  const stages = JSON.stringify([{ name: 'PLAN' }, { name: 'PLAN_REVIEW', is_checkpoint: true }]);
  file
    .prepare(
      `insert into workflows (id, name, stages, updated_at, ${STORED}) values (?, 'Standard', ?, 1, ${AS_SYNCED})`,
    )
    .run(STANDARD_WORKFLOW_ID, stages);
  const project = file.prepare(
    `insert into projects (id, name, status, updated_at, ${STORED}) values (?, 'P', ?, 1, ${AS_SYNCED})`,
  );
  const milestone = file.prepare(
    `insert into milestones (id, project_id, name, status, updated_at, ${STORED}) values (?, ?, 'M', ?, 1, ${AS_SYNCED})`,
  );
  file.transaction(() => {
    for (let n = 0; n < PLACES; n += 1) {
      project.run(`p${n}`, n % 10 === 0 ? 'archived' : 'active');
      milestone.run(`m${n}`, `p${n}`, n % 3 === 0 ? 'completed' : 'in_progress');
    }
  })();
});
afterEach(async () => {
  file.close();
  await database.close();
  folder.remove();
});

function write(tasks: readonly { id: string; place: number; at: number; stage?: string }[]): void {
  const insert = file.prepare(`insert into tasks
    (id, milestone_id, title, current_stage, status, priority, sort_order, updated_at, ${STORED})
    values (?, ?, 'Waits', ?, 'in_progress', 'medium', 0, ?, ${AS_SYNCED})`);
  file.transaction(() => {
    for (const { id, place, at, stage = 'PLAN_REVIEW' } of tasks) insert.run(id, `m${place}`, stage, at);
  })();
}

const read = () =>
  readInbox({ store: new LocalStore(database, undefined as never), userId: USER } as LocalFirst);

/** Moments in no order of the ids, many of them shared. */
const scattered = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: `t${String(n).padStart(6, '0')}`,
    place: (n * 7) % PLACES,
    at: (n * 7_919) % 1_009,
    stage: n % 4 === 0 ? 'PLAN' : 'PLAN_REVIEW',
  }));

it.each([50, 400, 6_000])(
  'are those of open places that wait longest, of %i tasks (I2, I5)',
  async (count) => {
    const tasks = scattered(count);
    write(tasks);
    const wanted = tasks
      .filter(({ place, stage }) => isOpen(place) && stage === 'PLAN_REVIEW')
      .sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
    const { reviews, team, is_cut } = await read();
    expect([...reviews, ...team].map(({ task }) => task.id)).toEqual(
      wanted.slice(0, MOST_IN_INBOX).map(({ id }) => id),
    );
    expect(is_cut).toBe(wanted.length > MOST_IN_INBOX);
  },
);

/** The order of the entries that one write leaves in the feed of a task, where no two fall into the same millisecond. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { LocalStore } from '@/lib/watermelon/context/localStore';
import { ProvisionalClaims } from '@/lib/watermelon/context/provisionalClaims';
import { createLocalContextService, type LocalContextService } from '@/lib/watermelon/context/service';
import { readBase } from '@/lib/watermelon/models/tracking';
import { SyncClock } from '@/lib/watermelon/sync';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

const USER = '01a22895-27f8-734e-969e-5b8fbac9aea3';

let folder: ReturnType<typeof temporaryFolder>;
let database: ConvoyDatabase;
let service: LocalContextService;

beforeEach(async () => {
  folder = temporaryFolder();
  let time = Date.now();
  const clock = new SyncClock(() => time++);
  database = await openLocalDatabase(folder.path, clock);
  const store = new LocalStore(database, (id) => id);
  service = createLocalContextService(
    {
      store,
      userId: USER,
      kind: 'human',
      clock,
      remote: null,
      isOnline: () => false,
      requestSync: () => {},
    },
    new ProvisionalClaims(database, null, USER, () => clock.now()),
  );
});
afterEach(async () => {
  await database.close();
  folder.remove();
});

/** The types of a task's entries, in the order of the times that the server is told. */
async function entries(taskId: string): Promise<string[]> {
  const all = await database.records('activity_feed').query().fetch();
  return all
    .filter(({ raw }) => raw.task_id === taskId)
    .map(({ raw }) => ({ type: String(raw.activity_type), at: readBase(raw)?.created?.editedAt ?? 0 }))
    .sort((one, other) => one.at - other.at)
    .map(({ type }) => type);
}

it('has what a person writes after what the same write tells of the task (V1, V2, V5)', async () => {
  const workspace = await service.createWorkspace({ name: 'W' });
  const project = await service.createProject({ workspace_id: workspace.id, name: 'P' });
  const milestone = await service.createMilestone({ project_id: project.id, name: 'M' });
  const task = await service.createTask({ milestone_id: milestone.id, title: 'T' });
  const asked = await service.requestReview(task.id, { text: 'Look.', stage: 'PLAN_REVIEW' });
  await service.returnReview(task.id, asked.id, 'More, please.', { stage: 'PLAN' });
  const again = await service.requestReview(task.id, { text: 'Again.', stage: 'PLAN_REVIEW' });
  await service.approveReview(task.id, again.id, { stage: 'IMPLEMENT' });
  expect(await entries(task.id)).toEqual([
    'task_created',
    'stage_changed',
    'review_requested',
    'stage_changed',
    'review_returned',
    'stage_changed',
    'review_requested',
    'stage_changed',
    'review_approved',
  ]);
});

/** Two tabs of one database, of which one waits for the sync of the other: it knows at once what that one has noted. */

import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '@/lib/watermelon';
import { temporaryFolder } from '../../support/localDatabase';
import { backend, restored, restoreFrom, serverForEachTest, world } from '../../support/restorableServer';
import { SEED } from '../../support/seed';
import { inTurns, settle, type TestDevice } from '../../support/world';

let here: TestDevice;
let one: TestDevice;
let other: TestDevice;

serverForEachTest();
beforeEach(async () => {
  const { path: folder, remove } = temporaryFolder();
  const account = await world.signIn('editor');
  const options = { folder, exclusively: inTurns(), pageRows: 10 };
  here = await world.device('owner');
  one = await world.device(account, options);
  other = await world.device(account, options);
  await settle(here, one, other);
  return remove;
});

async function sql(text: string, values: string[] = []): Promise<void> {
  const done = await (restored?.backend ?? backend).transaction((connection) =>
    connection.query(text, values),
  );
  if (!done.ok) throw new Error(done.error.message);
}

/** Lets the one sync until so many of its pulls have been sent, and the other one wait for it. */
async function whileOtherWaits(pulls: number, work: () => Promise<unknown>): Promise<void> {
  const sent = one.transport.count('pull');
  const releases = Array.from({ length: pulls }, () => one.transport.holdNext('pull'));
  const last = releases.pop();
  for (const release of releases) release();
  const syncing = [one.sync(), other.sync()];
  await expect.poll(() => one.transport.count('pull')).toBe(sent + pulls);
  try {
    await work();
  } finally {
    last?.();
  }
  for (const result of await Promise.all(syncing)) expect(result.error).toBeNull();
}

describe('a tab that waits for the sync of another one', () => {
  it('deletes nothing that others wrote on a restored server (P13, U8)', async () => {
    const task = await here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'T' });
    await settle(here, one, other);
    const backup = await backend.dump();
    for (let n = 0; n < 5; n += 1)
      await here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: `Lost ${n}` });
    await settle(here, one, other);
    await restoreFrom(backup);
    await sql('update public.tasks set description = $2 where id = $1::uuid', [task.id, 'by others']);

    await whileOtherWaits(3, () => other.contextService.deleteTask(task.id));
    await settle(one, other);
    expect((await other.contextService.getLocalTask(task.id))?.description).toBe('by others');
    const ledger = await other.database.of(Conflict).query().fetch();
    expect(ledger.map(({ kind, recordId }) => [kind, recordId])).toContainEqual(['deletion', task.id]);
  });

  it('shows nothing of a workspace that the other one has begun to purge, and takes no edit of it (P12)', async () => {
    const workspace = await here.contextService.createWorkspace({ name: 'Shared for a while' });
    const project = await here.contextService.createProject({ workspace_id: workspace.id, name: 'P' });
    const milestone = await here.contextService.createMilestone({ project_id: project.id, name: 'M' });
    const task = await here.contextService.createTask({ milestone_id: milestone.id, title: 'T' });
    await settle(here);
    const membership = [workspace.id, one.userId];
    await sql(
      `insert into public.workspace_members (id, workspace_id, user_id, role)
       values (gen_random_uuid(), $1::uuid, $2::uuid, 'editor')`,
      membership,
    );
    await settle(one, other);
    expect(await other.contextService.getLocalTask(task.id)).not.toBeNull();
    await sql(
      'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid',
      membership,
    );
    const [reached, release] = holdSlices(one);
    const syncing = [one.sync(), other.sync()];
    await reached;
    try {
      // Taken its turn, a write knows all that was written before.
      await other.database.write(async () => undefined);
      expect(await other.contextService.getLocalTask(task.id)).toBeNull();
      other.online(false);
      const late = other.contextService.updateTask(task.id, { title: 'too late' });
      await expect(late).rejects.toMatchObject({ code: 'not_found' });
    } finally {
      other.online(true);
      release();
    }
    for (const result of await Promise.all(syncing)) expect(result.error).toBeNull();
    expect(await other.countUnsynced()).toMatchObject({ pending: 0, archived: 0 });
  });
});

/** @returns what resolves once the device is about to write a slice, and what lets it do so */
function holdSlices({ database }: TestDevice): [reached: Promise<void>, release: () => void] {
  const write = database.write.bind(database);
  let release = () => {};
  let reach = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  database.write = async (work, description) => {
    if (description === 'sync: slice') {
      reach();
      await released;
    }
    return write(work, description);
  };
  return [reached, release];
}

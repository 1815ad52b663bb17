import { beforeEach, describe, expect, it } from 'vitest';
import { Archived } from '@/lib/watermelon';
import type { LocalStack } from '@/server';
import { expectConverged } from '../../support/inStep';
import { backend, restored, restoreFrom, serverForEachTest, world } from '../../support/restorableServer';
import { settle, type TestDevice } from '../../support/world';

let owner: TestDevice;

serverForEachTest();
beforeEach(async () => {
  owner = await world.device('owner');
  await settle(owner);
});

async function sql(text: string, values: string[]): Promise<void> {
  const done = await (restored?.backend ?? backend).transaction((connection) =>
    connection.query(text, values),
  );
  if (!done.ok) throw new Error(done.error.message);
}

const addMember = (workspace: string, { userId }: TestDevice, role: string) =>
  sql(
    `insert into public.workspace_members (id, workspace_id, user_id, role)
     values (gen_random_uuid(), $1::uuid, $2::uuid, $3)`,
    [workspace, userId, role],
  );
const removeMember = (workspace: string, { userId }: TestDevice) =>
  sql(
    'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid',
    [workspace, userId],
  );

/** A workspace of the owner's with a task of the owner's and one of the editor's, both synced. */
async function shared(editor: TestDevice) {
  const { contextService: service } = owner;
  const workspace = await service.createWorkspace({ name: 'After the backup' });
  const project = await service.createProject({ workspace_id: workspace.id, name: 'P' });
  const milestone = await service.createMilestone({ project_id: project.id, name: 'M' });
  const task = await service.createTask({ milestone_id: milestone.id, title: 'of the owner' });
  await settle(owner);
  await addMember(workspace.id, editor, 'editor');
  await settle(editor);
  const theirs = await editor.contextService.createTask({
    milestone_id: milestone.id,
    title: 'of the editor',
  });
  await settle(editor);
  return { workspace, milestone, task, theirs };
}

const archiveOf = async (device: TestDevice) =>
  (await device.database.of(Archived).query().fetch()).map(({ reason, recordTable, values }) => ({
    reason,
    recordTable,
    title: values.title,
  }));

const workspacesOf = async (device: TestDevice) =>
  (await device.contextService.getWorkspaces()).map(({ name }) => name);

describe('a workspace that a restored server lost (P19, P-NOLOSS)', () => {
  it('is recreated by its owner with all the owner’s records, and other members’ writes go to the archive', async () => {
    const editor = await world.device('other');
    const backup = await backend.dump();
    const { workspace, milestone, task, theirs } = await shared(editor);
    const unseen = await owner.contextService.createTask({
      milestone_id: milestone.id,
      title: 'offline, new',
    });
    await owner.contextService.updateTask(task.id, { description: 'offline, edited' });
    await editor.contextService.updateTask(theirs.id, { description: 'offline, edited too' });

    await restoreFrom(backup);
    await settle(editor, owner);

    expect(await workspacesOf(editor)).not.toContain('After the backup');
    const archived = await archiveOf(editor);
    expect(archived.filter(({ recordTable }) => recordTable === 'tasks')).toEqual([
      { reason: 'history_changed', recordTable: 'tasks', title: 'of the editor' },
    ]);
    expect(JSON.stringify((await editor.exportUnsynced()).archive)).toContain('offline, edited too');
    expect(await editor.countUnsynced()).toMatchObject({ pending: 0, refused: 0 });

    expect(await workspacesOf(owner)).toContain('After the backup');
    expect(await owner.countUnsynced()).toMatchObject({ pending: 0, refused: 0 });
    expect((await owner.contextService.getLocalTask(unseen.id))?.title).toBe('offline, new');
    const fresh = await world.device('owner');
    await settle(fresh);
    expect((await fresh.contextService.getLocalTask(task.id))?.description).toBe('offline, edited');
    await expectConverged({ stack: restored as LocalStack }, owner, editor, fresh);

    await addMember(workspace.id, editor, 'editor');
    await settle(editor);
    expect(await workspacesOf(editor)).toContain('After the backup');
  });

  it('is recreated by one of two devices of its owner, and both converge', async () => {
    const other = await world.device('owner');
    const editor = await world.device('other');
    const backup = await backend.dump();
    const { milestone } = await shared(editor);
    await settle(owner, other);
    await other.contextService.createTask({ milestone_id: milestone.id, title: 'on the other device' });
    await restoreFrom(backup);
    await settle(owner, other, owner);
    await expectConverged({ stack: restored as LocalStack }, owner, other);
    for (const device of [owner, other]) {
      expect(await workspacesOf(device)).toContain('After the backup');
      expect(await device.countUnsynced()).toMatchObject({ pending: 0, refused: 0 });
    }
  });

  it('goes to the archive where another user recreated it, or where the membership is younger than the backup', async () => {
    const second = await world.device('other');
    const { workspace, milestone } = await shared(second);
    await removeMember(workspace.id, second);
    const backup = await backend.dump();
    await addMember(workspace.id, second, 'owner');
    await settle(second);
    const own = await second.contextService.createTask({ milestone_id: milestone.id, title: 'as an owner' });
    await second.sync();
    await restoreFrom(backup);
    await settle(second, owner);
    expect(await workspacesOf(second)).not.toContain('After the backup');
    expect(await second.contextService.getLocalTask(own.id)).toBeNull();
    expect(await second.countUnsynced()).toMatchObject({ pending: 0, refused: 0 });
    const archived = await archiveOf(second);
    expect(archived).toContainEqual({
      reason: 'history_changed',
      recordTable: 'tasks',
      title: 'as an owner',
    });
    expect(archived.map(({ title }) => title)).not.toContain('of the owner');
    await expectConverged({ stack: restored as LocalStack }, owner, second);
  });

  it('is purged, own acknowledged writes included, when the user really has no access any more (P12, R7)', async () => {
    const editor = await world.device('other');
    const { workspace } = await shared(editor);
    await removeMember(workspace.id, editor);
    await settle(editor);
    expect(await workspacesOf(editor)).not.toContain('After the backup');
    expect(await archiveOf(editor)).toEqual([]);
  });
});

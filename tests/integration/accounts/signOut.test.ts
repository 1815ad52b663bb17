import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SupabaseInvitations } from '@/lib/supabase/invitations';
import { closeDatabase, type Device, initDatabase, signOut, sync } from '@/lib/watermelon';
import { openUserDevice, SESSION_KEY } from '@/lib/watermelon/device/compose';
import { createPlatform } from '@/platform/node';
import { expectConverged } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { meanwhile } from '../../support/meanwhile';
import { SEED } from '../../support/seed';
import { signInByDefault } from '../../support/signedInDefault';
import { deviceSnapshot, serverSnapshot } from '../../support/snapshot';
import { settle, World } from '../../support/world';

let world: World;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());
afterEach(async () => {
  await closeDatabase();
  for (const step of undo.splice(0).reverse()) await step();
});

/** The application as a deployment has it, an account signed in. @returns the folder of its data */
async function signInAs(account: string): Promise<string> {
  undo.push(await signInByDefault(world.stack, account));
  return process.env.CONVOY_DATA_DIR ?? '';
}

async function writeUnsynced(title: string): Promise<Device> {
  const device = await initDatabase();
  await sync();
  await world.stack.suspend();
  await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
  return device;
}

const session = () => createPlatform().sessionStorage().getItem(SESSION_KEY);
const onServer = async (title: string) => {
  const owner = await world.signIn('owner');
  return JSON.stringify(await serverSnapshot(world.stack.backend, owner.userId)).includes(title);
};

describe('signing out', () => {
  it('does nothing while records are unsynced and no choice was made; then does what was chosen (D24, P-NOLOSS)', async () => {
    const folder = await signInAs('owner');
    const device = await writeUnsynced('kept on the device');
    const asked = await signOut();
    expect(asked).toMatchObject({ status: 'unsynced', unsynced: { pending: 2, total: 2 }, sync: null });
    expect(await session()).not.toBeNull();
    expect(await signOut({ unsynced: 'sync' })).toMatchObject({
      status: 'unsynced',
      sync: { status: 'offline' },
    });
    expect((await device.exportUnsynced()).unsynced).toHaveLength(2);
    expect(await signOut({ unsynced: 'keep' })).toEqual({ status: 'signed_out' });
    expect(await session()).toBeNull();
    await world.stack.resume();
    expect(existsSync(join(folder, `convoy-${device.userId}.db`))).toBe(true);
    expect(await onServer('kept on the device')).toBe(false);

    const again = await openUserDevice(createPlatform(), (await world.signIn('owner')).client, device.userId);
    undo.push(() => again.close());
    await again.sync();
    expect(await onServer('kept on the device')).toBe(true);
  });

  it('syncs first when asked to, and signs out when nothing is unsynced any more (D24)', async () => {
    await signInAs('editor');
    await writeUnsynced('sent before leaving');
    await world.stack.resume();
    expect(await signOut({ unsynced: 'sync' })).toEqual({ status: 'signed_out' });
    expect(await onServer('sent before leaving')).toBe(true);
    expect(await session()).toBeNull();
  });

  it('does nothing while an accepted invitation waits to be sent, and sends it first when asked to (D24, U31)', async () => {
    const owner = await world.signIn('owner');
    const invited = await new SupabaseInvitations(owner.client).invite(SEED.workspace, null, 'viewer');
    if (!invited.ok) throw new Error(invited.error.message);
    const { invitationId } = invited.value;
    await world.signIn('newcomer');
    await signInAs('newcomer');
    const device = await initDatabase();
    await sync();
    await world.stack.suspend();
    expect(await device.acceptInvitation(invitationId)).toEqual({ state: 'waiting' });
    const asked = { status: 'unsynced', unsynced: { pending: 0, acceptances: 1, total: 1 } };
    expect(await signOut()).toMatchObject(asked);
    expect(await signOut({ unsynced: 'sync' })).toMatchObject({ ...asked, sync: { status: 'offline' } });
    expect(await session()).not.toBeNull();
    await world.stack.resume();
    expect(await signOut({ unsynced: 'sync' })).toEqual({ status: 'signed_out' });
    const server = await serverSnapshot(world.stack.backend, device.userId);
    expect(server[`workspaces/${SEED.workspace}`]).toBeDefined();
  });

  it('asks nothing when everything is on the server (D24)', async () => {
    await signInAs('editor');
    await initDatabase();
    await sync();
    expect(await signOut()).toEqual({ status: 'signed_out' });
    expect((await initDatabase()).hasAccount).toBe(false);
  });

  it('discards the local database of this user, and of no other (D24, P-PRIVATE)', async () => {
    const folder = await signInAs('owner');
    const other = await openUserDevice(createPlatform(), null, 'somebody-else');
    await other.contextService.createWorkspace({ name: 'Of somebody else' });
    await other.close();
    const device = await writeUnsynced('discarded');
    expect(await signOut({ unsynced: 'discard' })).toEqual({ status: 'signed_out' });
    await world.stack.resume();
    expect(existsSync(join(folder, `convoy-${device.userId}.db`))).toBe(false);
    expect(existsSync(join(folder, 'convoy-somebody-else.db'))).toBe(true);

    const owner = await world.signIn('owner');
    const fresh = await openUserDevice(createPlatform(), owner.client, owner.userId);
    undo.push(() => fresh.close());
    await fresh.sync();
    expect(JSON.stringify(await deviceSnapshot(fresh.database))).not.toContain('discarded');
    expect(await onServer('discarded')).toBe(false);
    await expectConverged(world, fresh);
  });

  it('counts and exports refused and archived changes, and values that only this ledger has (D24, P-NOLOSS)', async () => {
    const editor = await world.device('editor');
    const owner = await world.device('owner');
    await settle(editor, owner);
    const shared = await owner.contextService.createWorkspace({ name: 'Shared for a while' });
    await settle(owner);
    await sql(
      `insert into public.workspace_members (id, workspace_id, user_id, role)
       values (gen_random_uuid(), $1::uuid, $2::uuid, 'editor')`,
      [shared.id, editor.userId],
    );
    await settle(editor);
    const [deleted, refused] = await Promise.all(
      ['edited, then gone', 'refused'].map((title) =>
        owner.contextService.createTask({ milestone_id: SEED.offlineMilestone, title }),
      ),
    );
    await settle(owner, editor);
    await owner.contextService.deleteTask(deleted?.id ?? '');
    await settle(owner);
    await editor.contextService.updateTask(deleted?.id ?? '', { title: 'a value of the ledger alone' });
    await settle(editor);

    await sql(
      'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid',
      [shared.id, editor.userId],
    );
    await meanwhile(editor, 'pull', () =>
      editor.contextService.createProject({ workspace_id: shared.id, name: 'a value of the archive' }),
    );
    await editor.database.write(async () => {
      const record = await editor.database.records('tasks').find(refused?.id ?? '');
      await record.update((draft) => draft.setColumn('current_stage', 'NOWHERE'));
    });
    await settle(editor);
    await editor.contextService.createWorkspace({ name: 'not pushed yet' });

    const counts = await editor.countUnsynced();
    expect(counts).toEqual({
      pending: 1,
      unconfirmed: 0,
      refused: 1,
      archived: 1,
      // The entry of the feed that tells of the lost edit is no value of its own.
      conflicts: 1,
      acceptances: 0,
      total: 4,
    });
    const exported = JSON.stringify(await editor.exportUnsynced());
    for (const text of [
      'a value of the ledger alone',
      'a value of the archive',
      'NOWHERE',
      'not pushed yet',
    ]) {
      expect(exported).toContain(text);
    }
  });
});

describe('another user of the same device', () => {
  it('neither sees nor pushes the unsynced work of the first, who finds it again (D25, P-PRIVATE)', async () => {
    const folder = temporaryFolder();
    undo.push(folder.remove);
    const platform = createPlatform({ folder: folder.path });
    const [first, second] = [await world.signIn('owner'), await world.signIn('outsider')];
    const mine = await openUserDevice(platform, first.client, first.userId);
    await mine.sync();
    await world.stack.suspend();
    const task = await mine.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'between two accounts',
    });
    await mine.close();
    await world.stack.resume();

    const theirs = await openUserDevice(platform, second.client, second.userId);
    await theirs.sync();
    expect(await theirs.contextService.getTaskContext(task.id)).toBeNull();
    expect(JSON.stringify(await theirs.exportUnsynced())).not.toContain('between two accounts');
    expect(await onServer('between two accounts')).toBe(false);
    await theirs.close();

    const again = await openUserDevice(platform, first.client, first.userId);
    undo.push(() => again.close());
    expect((await again.contextService.getLocalTask(task.id))?.title).toBe('between two accounts');
    await again.sync();
    expect(await onServer('between two accounts')).toBe(true);
  });

  it('a running sync ends when the account is left, and its unsent changes are sent by their own user (D25)', async () => {
    const device = await world.device('owner');
    await settle(device);
    const task = await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'on its way when the account was left',
    });
    let closing: Promise<void> | undefined;
    const result = await meanwhile(device, 'push', async () => {
      closing = device.close();
    });
    await closing;
    expect(result.status).not.toBe('ok');
    expect(result.pushed).toBe(0);
    expect(await onServer('on its way when the account was left')).toBe(false);
    expect(await device.sync()).toMatchObject({ status: 'signed_out' });
    const again = await device.restart();
    await settle(again);
    expect((await again.contextService.getLocalTask(task.id))?.title).toContain('on its way');
    expect(await onServer('on its way when the account was left')).toBe(true);
    await expectConverged(world, again);
  });
});

async function sql(text: string, values: string[]): Promise<void> {
  const done = await world.stack.backend.transaction((connection) => connection.query(text, values));
  if (!done.ok) throw new Error(done.error.message);
}

import { randomUUID } from 'node:crypto';
import { filter, firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { SupabaseInvitations } from '@/lib/supabase/invitations';
import { WAIT_MS } from '../../support/patience';
import { SEED } from '../../support/seed';
import type { SignedIn, TestDevice, World } from '../../support/world';

/** Only pokes can bring anything within the time a test takes. */
const POKED = {
  autoSync: true,
  pokes: true,
  timing: {
    idleMs: 3_600_000,
    idleMostMs: 3_600_000,
    flowingMs: 3_600_000,
    cutOffMs: 3_600_000,
    debounceMs: 50,
    pokeMs: 20,
  },
};
const EVENTUALLY = { timeout: WAIT_MS, interval: 25 };

const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, EVENTUALLY);

/** What devices do when they are poked; the same on every database. */
export function pokesSuite(start: () => Promise<World>): void {
  let world: World;
  beforeAll(async () => {
    world = await start();
  });
  afterAll(() => world.close());

  const createTask = (device: TestDevice, title: string) =>
    device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });

  const titleOn = async (device: TestDevice, id: string) =>
    (await device.contextService.getLocalTask(id))?.title;

  const workspacesOf = async (device: TestDevice) =>
    (await device.contextService.getWorkspaces()).map(({ id }) => id);

  /** A device that has synced and has joined all its channels: now nothing but pokes can wake it. */
  async function poked(who: string | SignedIn): Promise<TestDevice> {
    const device = await world.device(who, POKED);
    await firstValueFrom(
      device.observeSyncStatus().pipe(filter(({ lastSyncedAt }) => lastSyncedAt !== null)),
    );
    await quiet(device);
    return device;
  }

  /** Resolves when every channel is joined and no request has been made for a while. */
  async function quiet(...devices: TestDevice[]): Promise<void> {
    let before = -1;
    await vi.waitFor(
      () => {
        for (const { client } of devices) {
          const states = client.realtime.getChannels().map(({ state }) => String(state));
          expect(states.length).toBeGreaterThan(1);
          expect(new Set(states)).toEqual(new Set(['joined']));
        }
        const requests = devices.reduce((sum, { transport }) => sum + transport.requests.length, 0);
        const changed = requests !== before;
        before = requests;
        expect(changed).toBe(false);
        expect(devices.every(({ syncStatus }) => syncStatus.kind === 'idle')).toBe(true);
      },
      { timeout: WAIT_MS, interval: 400 },
    );
  }

  /** Pushes one change of a membership, as the user who is signed in. */
  async function changeMember(
    { client, userId }: SignedIn,
    workspace: string,
    change: Pick<PushChange, 'op' | 'id'>,
  ): Promise<void> {
    const request = {
      protocol: 1,
      schema: 1,
      user_id: userId,
      device_id: randomUUID(),
      batch: 1,
      cursors: {},
      skip: {},
      changes: [{ table: 'workspace_members', workspace_id: workspace, base: null, group: 0, ...change }],
    };
    const { data, error } = await client.rpc('sync_push', { request } as never);
    expect(error).toBeNull();
    expect(data).toMatchObject({ outcomes: [{ outcome: 'applied' }] });
  }

  describe('a device that is poked', () => {
    it('has another device’s change without its timer (K1)', async () => {
      const [writer, reader] = [await poked('owner'), await poked('editor')];
      const task = await createTask(writer, 'Poked');
      await eventually(async () => expect(await titleOn(reader, task.id)).toBe('Poked'));
      await reader.contextService.updateTask(task.id, { title: 'And back' });
      await eventually(async () => expect(await titleOn(writer, task.id)).toBe('And back'));
      await Promise.all([writer.close(), reader.close()]);
    });

    it('requests nothing when the poke is about its own push (K6)', async () => {
      const device = await poked('owner');
      const heard = vi.fn();
      device.client.realtime
        .getChannels()
        .find(({ subTopic }) => subTopic === `workspace:${SEED.workspace}`)
        ?.on('broadcast', { event: 'advanced' }, heard);
      const before = device.transport.requests.length;
      await createTask(device, 'My own');
      await eventually(() => expect(heard).toHaveBeenCalled());
      await quiet(device);
      const made = device.transport.requests.slice(before).map(({ direction }) => direction);
      // The sync that pushes ends with a pull; the poke adds none.
      expect(made).toEqual(['push', 'pull']);
      await device.close();
    });

    it('makes no request while nothing happens, and pokes flow (K8)', async () => {
      const timing = { ...POKED.timing, idleMs: 50, idleMostMs: 50 };
      const pair = [
        await world.device('owner', { ...POKED, timing }),
        await world.device('viewer', { ...POKED, timing }),
      ];
      await quiet(...pair);
      const before = pair.map(({ transport }) => transport.requests.length);
      // Twenty times as long as the timer of a device that is not poked.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(pair.map(({ transport }) => transport.requests.length)).toEqual(before);
      for (const device of pair) await device.close();
    });

    it('pulls a workspace when it becomes a member, and purges it when the membership ends (K2)', async () => {
      const owner = await poked('mira');
      const guest = await world.signIn('noor');
      const guestDevice = await poked(guest);
      const workspace = await owner.contextService.createWorkspace({ name: 'Shared' });
      await eventually(() => expect(owner.transport.count('push')).toBeGreaterThan(0));
      await quiet(owner);
      expect(await workspacesOf(guestDevice)).not.toContain(workspace.id);

      const host = { client: owner.client, userId: owner.userId };
      const invited = await new SupabaseInvitations(owner.client).invite(workspace.id, null, 'editor');
      if (!invited.ok) throw new Error(invited.error.message);
      // Accepted elsewhere: on this device nothing but a poke tells of it.
      const accepted = await new SupabaseInvitations(guest.client).accept(
        invited.value.invitationId,
        guest.userId,
      );
      expect(accepted).toMatchObject({ ok: true, value: { workspaceId: workspace.id } });
      await eventually(async () => expect(await workspacesOf(guestDevice)).toContain(workspace.id));
      await quiet(guestDevice);

      const project = await owner.contextService.createProject({ workspace_id: workspace.id, name: 'Later' });
      await eventually(async () => {
        const projects = await guestDevice.contextService.getProjects(workspace.id);
        expect(projects.map(({ id }) => id)).toContain(project.id);
      });

      const member = (await owner.contextService.getMembers(workspace.id)).find(
        ({ user_id }) => user_id === guest.userId,
      );
      await changeMember(host, workspace.id, { op: 'delete', id: member?.id ?? '' });
      await eventually(async () => expect(await workspacesOf(guestDevice)).not.toContain(workspace.id));
      await quiet(guestDevice);
      const topics = guest.client.realtime.getChannels().map(({ subTopic }) => subTopic);
      expect(topics).not.toContain(`workspace:${workspace.id}`);
      await owner.close();
      await guestDevice.close();
    });

    it('falls back to its timer when the connection is cut, rejoins, and pulls missed changes (K7)', async () => {
      const timing = { ...POKED.timing, cutOffMs: 200, idleMs: 200, idleMostMs: 200 };
      const device = await world.device('editor', { ...POKED, timing });
      await quiet(device);
      await world.stack.suspend();
      await eventually(() => expect(device.syncStatus.kind).toBe('offline'));
      const whileCut = device.transport.requests.length;
      await eventually(() => expect(device.transport.requests.length).toBeGreaterThan(whileCut));
      await world.stack.resume();
      const writer = await world.device('owner');
      await writer.sync();
      const task = await createTask(writer, 'Written while it was away');
      await writer.sync();
      await eventually(async () => expect(await titleOn(device, task.id)).toBe('Written while it was away'));
      await quiet(device);
      await device.close();
    });

    it('leaves no timer, no connection and no request behind when it is closed (K9)', async () => {
      const device = await poked('owner');
      const writer = await world.device('editor');
      await writer.sync();
      await device.close();
      expect(device.client.realtime.getChannels()).toEqual([]);
      expect(device.client.realtime.isConnected()).toBe(false);
      const before = device.transport.requests.length;
      await createTask(writer, 'Nobody is told');
      await writer.sync();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(device.transport.requests.length).toBe(before);
    });
  });
}

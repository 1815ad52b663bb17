import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type Device, openDevice } from '@/lib/watermelon';
import { FlakyProxy } from '../../support/flakyProxy';
import { openAdapter, temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { World } from '../../support/world';

let world: World;
let proxy: FlakyProxy;
let device: Device;
const folder = temporaryFolder();

/** A device whose runtime says that there is no network, for as long as it runs. */
beforeAll(async () => {
  world = await World.start();
  proxy = await FlakyProxy.start({ to: world.stack.url, seed: 1 });
  const { client, userId } = await world.signIn('editor', proxy.url);
  const opened = await openDevice({
    adapter: await openAdapter(folder.path),
    userId,
    transport: new SupabaseTransport(client),
    remote: createRemoteContextService({ client }),
    isOnline: () => false,
    timing: { debounceMs: 10 },
  });
  if (!opened.ok) throw new Error(opened.error.message);
  device = opened.value;
});
afterAll(async () => {
  await device.close();
  await world.close();
  await proxy.close();
  folder.remove();
});

const newTask = (title: string) =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });

it('a runtime that says there is no network is not believed where a person asks to sync, nor after the server has answered (D31)', async () => {
  await expect.poll(() => device.syncStatus.kind).toBe('offline');
  expect(device.syncStatus).toMatchObject({ lastSyncedAt: null, error: null });

  expect(await device.sync()).toMatchObject({ status: 'ok', error: null });
  expect(device.syncStatus).toMatchObject({ kind: 'idle', error: null });
  // By itself, since the server has been reached.
  await newTask('Sent by itself');
  await expect.poll(() => device.syncStatus).toMatchObject({ kind: 'idle', pending: 0 });

  const { url } = world.stack;
  proxy.redirect('http://127.0.0.1:1');
  await newTask('Waits for the network');
  await expect.poll(() => device.syncStatus).toMatchObject({ kind: 'offline', error: null });
  expect(await device.sync()).toMatchObject({ status: 'offline', error: null, reaction: null });

  proxy.redirect(url);
  expect(await device.sync()).toMatchObject({ status: 'ok', error: null });
  expect(device.syncStatus).toMatchObject({ kind: 'idle', pending: 0 });
});

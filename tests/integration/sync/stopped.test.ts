import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlakyProxy } from '../../support/flakyProxy';
import { expectInStep } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { settle, World } from '../../support/world';

let world: World;
let silent: Server;
/** Requests that the silent server was sent, and those it was told to forget. */
const heard = { requests: 0, gone: 0 };

beforeAll(async () => {
  world = await World.start();
  silent = createServer((request) => {
    heard.requests += 1;
    request.socket.on('close', () => {
      heard.gone += 1;
    });
    request.resume();
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await world.close();
  silent.closeAllConnections();
  silent.close();
});

describe('a device that is closed while a request hangs', () => {
  it('ends at once, its request included, and the next sync resumes from the stored state (D32, K9)', async () => {
    const { path: folder, remove } = temporaryFolder();
    const network = await FlakyProxy.start({ to: world.stack.url, seed: 1 });
    const account = await world.signIn('editor', network.url);
    const device = await world.device(account, { folder });
    await settle(device);
    const task = await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'On its way when the device was closed',
    });
    network.redirect(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    // The first one may find the connection that was cut.
    let syncing = device.sync();
    while (heard.requests === 0) {
      await Promise.race([syncing, new Promise((resolve) => setTimeout(resolve, 20))]);
      if (device.syncStatus.kind !== 'syncing') syncing = device.sync();
    }
    await device.close();
    expect(await syncing).toMatchObject({ status: 'signed_out', error: null });
    expect(device.syncStatus).toMatchObject({ kind: 'idle', error: null });
    while (heard.gone === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await device.sync(), 'no sync after that').toMatchObject({ status: 'signed_out' });

    network.redirect(world.stack.url);
    const again = await world.device(account, { folder });
    await expect.poll(async () => (await again.sync()).status).toBe('ok');
    expect(again.syncStatus.pending).toBe(0);
    expect((await again.contextService.getLocalTask(task.id))?.title).toContain('On its way');
    await expectInStep(world, again);
    await again.close();
    await network.close();
    remove();
  });
});

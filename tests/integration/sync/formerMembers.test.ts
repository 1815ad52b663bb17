/** A member who left is still named beside what they wrote. */

import { describe, expect, it } from 'vitest';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SEED } from '../../support/seed';
import { devicesForFile, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForFile();

describe('those who left a workspace', () => {
  it('are named to its members by a device and by the remote service, and to nobody else (S7, R7)', async () => {
    const agent = (await here.contextService.getMembers(SEED.workspace)).find(
      ({ user_id }) => user_id === SEED.users.agent,
    );
    if (!agent) throw new Error('The agent is no member.');
    const remote = createRemoteContextService({ client: here.client });
    for (const service of [here.contextService, remote]) {
      expect(await service.getFormerMembers(SEED.workspace)).toEqual([]);
      expect(await service.getFormerMembers('nowhere')).toEqual([]);
    }
    await here.contextService.removeMember(agent.id);
    await settle(here, there);
    const named = [{ user_id: agent.user_id, display_name: agent.display_name, kind: 'agent' }];
    for (const service of [here.contextService, there.contextService, remote]) {
      expect(await service.getFormerMembers(SEED.workspace)).toMatchObject(named);
    }
    here.online(false);
    expect(await here.contextService.getFormerMembers(SEED.workspace)).toMatchObject(named);
    here.online(true);

    const left = createRemoteContextService({ client: (await world.signIn('agent')).client });
    expect(await left.getFormerMembers(SEED.workspace)).toEqual([]);
    const outsider = await world.device('outsider');
    await outsider.sync();
    expect(await outsider.contextService.getFormerMembers(SEED.workspace)).toEqual([]);
  });
});

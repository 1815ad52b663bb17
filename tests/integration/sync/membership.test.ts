/** Joining, leaving and roles, between devices and the server. */

import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SupabaseInvitations } from '@/lib/supabase/invitations';
import { Quarantined } from '@/lib/watermelon';
import { type SignedIn, settle, type TestDevice, World } from '../../support/world';

let world: World;
let owner: TestDevice;
let workspaceId: string;

beforeAll(async () => {
  world = await World.start();
  owner = await world.device('olga');
  const workspace = await owner.contextService.createWorkspace({ name: 'Shared' });
  workspaceId = workspace.id;
  await owner.contextService.createProject({ workspace_id: workspaceId, name: 'Project' });
  await settle(owner);
});
afterAll(() => world.close());

const names = async (device: TestDevice) =>
  (await device.contextService.getWorkspaces()).map(({ name }) => name);
const refused = (device: TestDevice) => device.database.of(Quarantined).query().fetch();
const acceptances = (device: TestDevice) => firstValueFrom(device.observeAcceptances());

async function invite(email: string | null = null, role: 'editor' | 'viewer' | 'owner' = 'editor') {
  const invited = await new SupabaseInvitations(owner.client).invite(workspaceId, email, role);
  if (!invited.ok) throw new Error(invited.error.message);
  return invited.value.invitationId;
}

async function member(name: string, role: 'editor' | 'viewer' | 'owner' = 'editor'): Promise<TestDevice> {
  const device = await world.device(name);
  expect(await device.acceptInvitation(await invite(null, role))).toMatchObject({ state: 'accepted' });
  return device;
}

async function membershipOf(device: TestDevice): Promise<string> {
  const members = await device.contextService.getMembers(workspaceId);
  return members.find(({ user_id }) => user_id === device.userId)?.id ?? '';
}

describe('an invitation', () => {
  it('that waits is not accepted by whoever is signed in when the server is reached (U31, P-PRIVATE)', async () => {
    const [first, second] = [await world.signIn('finn'), await world.signIn('gwen')];
    const port = new SupabaseInvitations(second.client);
    const invitation = await invite();
    expect(await port.accept(invitation, first.userId)).toMatchObject({ error: { code: 'wrong_user' } });
    expect(await new SupabaseInvitations(first.client).accept(invitation, first.userId)).toMatchObject({
      ok: true,
    });
  });

  it('that is accepted brings the workspace with the same sync (U31)', async () => {
    const device = await world.device('anna');
    await settle(device);
    expect(await names(device)).toEqual([]);
    expect(await device.acceptInvitation(await invite())).toEqual({ state: 'accepted', workspaceId });
    expect(await names(device)).toEqual(['Shared']);
    // Pages that wait for it learn of it; when the device is opened anew it is forgotten.
    expect(await acceptances(device)).toMatchObject([{ state: 'accepted', workspaceId }]);
    expect(await acceptances(await device.restart())).toEqual([]);
  });

  it('that is accepted offline is sent by the next sync, after a restart too (U31, P-NOLOSS)', async () => {
    let device = await world.device('ben');
    await settle(device);
    device.online(false);
    const link = await invite();
    expect(await device.acceptInvitation(link)).toEqual({ state: 'waiting' });
    device = await device.restart();
    expect(await acceptances(device)).toEqual([{ id: link, state: 'waiting' }]);
    // Nothing but this device knows of it (D24).
    expect(await device.countUnsynced()).toMatchObject({ acceptances: 1, total: 1 });
    expect(await device.exportUnsynced()).toMatchObject({ acceptances: [link] });
    await settle(device);
    expect(await device.countUnsynced()).toMatchObject({ acceptances: 0, total: 0 });
    expect(await names(device)).toEqual(['Shared']);
    // Pages that wait for it learn of it; when the device is opened anew it is forgotten.
    expect(await acceptances(device)).toMatchObject([{ state: 'accepted', workspaceId }]);
    expect(await acceptances(await device.restart())).toEqual([]);
  });

  it('that is not valid any more when it gets through is told until it is dismissed (U31)', async () => {
    const device = await world.device('carl');
    device.online(false);
    const link = await invite();
    await device.acceptInvitation(link);
    await new SupabaseInvitations(owner.client).revoke(link);
    device.online(true);
    await settle(device);
    expect(await acceptances(device)).toMatchObject([
      { id: link, state: 'refused', error: { kind: 'rejected', code: 'no_invitation' } },
    ]);
    await expect(device.acceptInvitation('no id')).rejects.toMatchObject({ code: 'bad_id' });
    expect(await device.countUnsynced()).toMatchObject({ acceptances: 0 });
    for (const { id } of await acceptances(device)) await device.dismissAcceptance(id);
    expect(await acceptances(device)).toEqual([]);
    expect(await names(device)).toEqual([]);
  });

  it('to an address is accepted once the address is confirmed, and says so until then (U31, P-PRIVATE)', async () => {
    const device = await world.device('cora');
    const confirm = async (isConfirmed: boolean) => {
      const text = `update auth.users set email_confirmed_at = case when $2::boolean then now() end where id = $1::uuid`;
      const done = await world.stack.backend.transaction((connection) =>
        connection.query(text, [device.userId, isConfirmed]),
      );
      expect(done.ok).toBe(true);
    };
    // The local stack confirms addresses as they sign up.
    const { user } = (await device.client.auth.getUser()).data;
    expect(user?.email_confirmed_at).toBeTruthy();
    await confirm(false);
    const id = await invite(user?.email ?? '');
    const error = { kind: 'rejected', code: 'unconfirmed_address' };
    expect(await device.acceptInvitation(id)).toMatchObject({ state: 'refused', error });
    expect(await new SupabaseInvitations(device.client).find(id)).toMatchObject({ ok: false, error });
    expect(await names(device)).toEqual([]);
    await confirm(true);
    expect(await device.acceptInvitation(id)).toMatchObject({ state: 'accepted' });
  });

  it('is the only way in: what a device writes into the table by itself is refused and set aside (S7, P-PRIVATE)', async () => {
    const victim = await world.signIn('dora');
    await owner.database.write(() =>
      owner.database.records('workspace_members').create((draft) => {
        draft.setColumn('workspace_id', workspaceId);
        draft.setColumn('user_id', victim.userId);
        draft.setColumn('role', 'editor');
      }),
    );
    await owner.sync();
    expect((await refused(owner)).map(({ code }) => code)).toEqual(['needs_invitation']);
    for (const { id } of await refused(owner)) await owner.discardQuarantined(id);
    const device = await world.device(victim);
    await settle(device, owner);
    expect(await names(device)).toEqual([]);
    const members = await owner.contextService.getMembers(workspaceId);
    expect(members.map(({ user_id }) => user_id)).not.toContain(victim.userId);
  });

  it('is seen in lists by its receiver and its owners (P-PRIVATE)', async () => {
    const guest: SignedIn = await world.signIn('erik');
    const email = (await guest.client.auth.getUser()).data.user?.email ?? '';
    const id = await invite(email, 'viewer');
    const mine = await new SupabaseInvitations(guest.client).received();
    expect(mine).toMatchObject({ ok: true, value: [{ id, workspace_name: 'Shared', role: 'viewer' }] });
    const sent = await new SupabaseInvitations(owner.client).sent(workspaceId);
    expect(sent.ok && sent.value.find((one) => one.id === id)).toMatchObject({ email });
    const others = await new SupabaseInvitations(guest.client).sent(workspaceId);
    expect(others).toEqual({ ok: true, value: [] });
    expect(await new SupabaseInvitations(guest.client).invite(workspaceId, null, 'owner')).toMatchObject({
      ok: false,
      error: { kind: 'rejected', code: 'forbidden' },
    });
    expect(await new SupabaseInvitations(guest.client).decline(id)).toMatchObject({ ok: true });
    expect(await new SupabaseInvitations(guest.client).find(id)).toMatchObject({
      ok: false,
      error: { code: 'no_invitation' },
    });
  });
});

describe('a member', () => {
  it('leaves offline, a viewer too; the workspace goes with the next sync, unsynced edits to the archive (D26)', async () => {
    const device = await member('fred', 'viewer');
    device.online(false);
    await device.contextService.removeMember(await membershipOf(device));
    device.online(true);
    await settle(device, owner);
    expect(await refused(device)).toEqual([]);
    expect(await names(device)).toEqual([]);
    const members = await owner.contextService.getMembers(workspaceId);
    expect(members.map(({ user_id }) => user_id)).not.toContain(device.userId);
  });

  it('is given another role, and removed, by an owner alone (P-PRIVATE)', async () => {
    const device = await member('gina');
    await settle(owner);
    const id = await membershipOf(device);
    const forbidden = { code: 'forbidden' };
    const ofOwner = (await device.contextService.getMembers(workspaceId)).find(
      ({ user_id }) => user_id === owner.userId,
    );
    await expect(device.contextService.updateMemberRole(id, 'owner')).rejects.toMatchObject(forbidden);
    await expect(device.contextService.removeMember(ofOwner?.id ?? '')).rejects.toMatchObject(forbidden);
    await expect(owner.contextService.updateMemberRole(id, 'boss' as never)).rejects.toMatchObject({
      code: 'bad_value',
    });
    await owner.contextService.updateMemberRole(id, 'viewer');
    await settle(owner, device);
    expect((await device.contextService.getMembers(workspaceId)).find((one) => one.id === id)?.role).toBe(
      'viewer',
    );
    await owner.contextService.removeMember(id);
    await settle(owner, device);
    expect(await names(device)).toEqual([]);
  });

  it('stays where the workspace would have no owner who is a person (R2)', async () => {
    await owner.contextService.removeMember(await membershipOf(owner));
    await owner.sync();
    expect((await refused(owner)).map(({ code }) => code)).toEqual(['last_owner']);
    expect(await names(owner)).toEqual(['Shared']);
    for (const { id } of await refused(owner)) await owner.discardQuarantined(id);
  });
});

describe('an agent', () => {
  it('creates no workspace on its device, and is not taken for a person there (R2, R4)', async () => {
    const agent = await world.device('agent', { kind: 'agent' });
    await expect(agent.contextService.createWorkspace({ name: 'x' })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});

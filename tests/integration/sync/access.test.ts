import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '@/domain/vocabulary';
import { Archived, Quarantined } from '@/lib/watermelon';
import { expectConverged, expectInStep } from '../../support/inStep';
import { meanwhile } from '../../support/meanwhile';
import { deviceSnapshot } from '../../support/snapshot';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let owner: TestDevice;
let members = 0;

beforeAll(async () => {
  world = await World.start();
  owner = await world.device('owner');
  await settle(owner);
});
afterAll(() => world.close());

async function sql(text: string, values: string[]): Promise<void> {
  const done = await world.stack.backend.transaction((connection) => connection.query(text, values));
  if (!done.ok) throw new Error(done.error.message);
}

/** A workspace of the owner's with some records, and somebody who may be made a member of it. */
async function setUp(role: Role | null) {
  members += 1;
  const member = await world.device(`member-${members}`);
  const { contextService: service } = owner;
  const workspace = await service.createWorkspace({ name: `Shared ${members}` });
  const project = await service.createProject({ workspace_id: workspace.id, name: 'P' });
  const milestone = await service.createMilestone({ project_id: project.id, name: 'M' });
  const task = await service.createTask({ milestone_id: milestone.id, title: 'original' });
  const child = await service.createTask({
    milestone_id: milestone.id,
    title: 'child',
    parent_task_id: task.id,
  });
  await settle(owner);
  const ids = [workspace.id, member.userId];
  const join = (as: Role) =>
    sql(
      `insert into public.workspace_members (id, workspace_id, user_id, role)
       values (gen_random_uuid(), $1::uuid, $2::uuid, $3)`,
      [...ids, as],
    );
  const setRole = (as: Role) =>
    sql(
      'update public.workspace_members set role = $3 where workspace_id = $1::uuid and user_id = $2::uuid',
      [...ids, as],
    );
  const leave = () =>
    sql(
      'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid',
      ids,
    );
  if (role) await join(role);
  await settle(member);
  return { member, workspace, project, milestone, task, child, join, setRole, leave };
}

const entriesOf = (device: TestDevice) => device.database.of(Quarantined).query().fetch();
const archiveOf = (device: TestDevice) => device.database.of(Archived).query().fetch();
const countOf = async (device: TestDevice, workspaceId: string) =>
  Object.values(await deviceSnapshot(device.database)).filter((row) => row.workspace_id === workspaceId)
    .length;

describe('gaining a workspace', () => {
  it('the workspace is pulled whole, and nothing of the others (P4, D26)', async () => {
    const { member, workspace, join } = await setUp(null);
    await member.contextService.createWorkspace({ name: 'Of my own' });
    await settle(member);
    const before = await deviceSnapshot(member.database);
    await join('editor');
    const result = await member.sync();
    const gained = await countOf(member, workspace.id);
    expect(gained).toBeGreaterThan(6);
    expect(result).toMatchObject({ status: 'ok', pulled: gained, pushed: 0 });
    const after = await deviceSnapshot(member.database);
    for (const [key, row] of Object.entries(before)) expect(after[key]).toEqual(row);
    await expectInStep(world, member);
  });

  it('it is pulled page by page as well, and resumed after a break (P10, D26)', async () => {
    const { member, workspace, join } = await setUp(null);
    await join('viewer');
    const device = await world.device(member, { pageRows: 3 });
    device.transport.next('pull', { what: 'delay', ms: 0 }).loseNextResponse('pull');
    expect(await device.sync()).toMatchObject({ status: 'offline' });
    await settle(device);
    expect(await countOf(device, workspace.id)).toBeGreaterThan(6);
    await expectInStep(world, device);
  });
});

describe('losing a workspace', () => {
  it('all of it is purged at once, and edits of any kind go to the archive and its export (P12, D26, P-NOLOSS)', async () => {
    const { member, workspace, project, milestone, task, child, leave } = await setUp('editor');
    const own = await member.contextService.createWorkspace({ name: 'Of my own' });
    await settle(member);
    await leave();
    const result = await meanwhile(member, 'pull', async () => {
      await member.contextService.updateTask(task.id, { title: 'edited too late' });
      await member.contextService.createTask({ milestone_id: milestone.id, title: 'created too late' });
      await member.contextService.deleteTask(child.id);
      await member.contextService.updateProject(project.id, { overview: 'overview too late' });
    });
    expect(result).toMatchObject({ status: 'ok', rejected: 0 });
    expect(await countOf(member, workspace.id)).toBe(0);
    expect((await member.contextService.getWorkspaces()).map(({ id }) => id)).toEqual([own.id]);
    const archived = await archiveOf(member);
    expect(archived.every(({ reason }) => reason === 'access_lost')).toBe(true);
    expect(archived.map(({ operation }) => operation)).toEqual(
      expect.arrayContaining(['insert', 'update', 'delete']),
    );
    const { archive } = await member.exportUnsynced();
    const text = JSON.stringify(archive);
    for (const lost of ['edited too late', 'created too late', 'overview too late', child.id]) {
      expect(text).toContain(lost);
    }
    expect(await member.countUnsynced()).toMatchObject({ pending: 0, archived: archived.length });
    await expectConverged(world, member);

    await member.discardArchived(archived.map(({ id }) => id));
    expect(await member.countUnsynced()).toMatchObject({ archived: 0, total: 0 });
  });

  it('edits pushed too late are refused and kept, and retried when the access returns (P12, D26, P-NOLOSS)', async () => {
    const { member, workspace, task, child, milestone, join, leave } = await setUp('editor');
    await leave();
    await member.contextService.deleteTask(child.id);
    await member.contextService.updateTask(task.id, { title: 'without access' });
    await member.contextService.createTask({ milestone_id: milestone.id, title: 'created without access' });
    expect(await member.sync()).toMatchObject({ status: 'ok', pushed: 0, rejected: 6 });
    expect(await countOf(member, workspace.id)).toBe(0);
    expect(await member.countUnsynced()).toMatchObject({ refused: 6, total: 6 });
    // Made again without the access, nothing of it is there to be deleted, and the wish stays.
    const deletion = (await entriesOf(member)).find(({ operation }) => operation === 'delete');
    expect(await member.retryQuarantined(deletion?.id ?? '')).toBe(false);
    expect(await member.countUnsynced()).toMatchObject({ refused: 6, total: 6 });

    await join('editor');
    await settle(member);
    expect(member.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
    const titles = (await member.contextService.getTasks(milestone.id)).map(({ title }) => title);
    expect(titles).toEqual(expect.arrayContaining(['without access', 'created without access']));
    expect(titles).not.toContain('child');
    await expectInStep(world, member);
  });
});

describe('a deletion refused for lack of access, in a workspace that is regained page by page', () => {
  /** One page is here, with a membership; what was to be deleted is on the one after the next. */
  async function afterOnePage() {
    const made = await setUp(null);
    const { workspace, milestone, join, leave } = made;
    const pageRows = await countOf(owner, workspace.id);
    const create = (title: string) => owner.contextService.createTask({ milestone_id: milestone.id, title });
    for (let rows = 0; rows < pageRows; rows += 2) await create('a task and its activity');
    await owner.sync();
    const late = await create('late');
    await owner.sync();
    await join('editor');
    const member = await world.device(made.member, { pageRows });
    await settle(member);
    await leave();
    await member.contextService.deleteTask(late.id);
    await settle(member);
    await join('viewer');
    member.transport.next('pull', { what: 'delay', ms: 0 }).loseNextResponse('pull');
    expect(await member.sync()).toMatchObject({ status: 'offline' });
    expect(await countOf(member, workspace.id)).toBe(pageRows);
    return { ...made, member, late };
  }

  it('is retried when the last page is here, also where the role is raised before (D11, P-NOLOSS)', async () => {
    const { member, late, setRole } = await afterOnePage();
    await setRole('editor');
    await settle(member);
    expect(member.syncStatus.quarantined).toBe(0);
    expect(await member.contextService.getLocalTask(late.id)).toBeNull();
    await expectConverged(world, member, owner);
    expect(await owner.contextService.getLocalTask(late.id)).toBeNull();
  });

  it('stays when a person retries it before the last page (D7, P-NOLOSS)', async () => {
    const { member } = await afterOnePage();
    const entries = await entriesOf(member);
    const deletion = entries.find(({ operation }) => operation === 'delete');
    expect(await member.retryQuarantined(deletion?.id ?? '')).toBe(false);
    expect(await entriesOf(member)).toHaveLength(entries.length);
  });
});

describe('a role that is lowered to viewer', () => {
  it('a refused deletion is dropped when its workspace is deleted (D11)', async () => {
    const { member, workspace, milestone, setRole } = await setUp('editor');
    await setRole('viewer');
    await member.contextService.deleteMilestone(milestone.id);
    await settle(member, owner);
    const [refused] = await entriesOf(member);
    await owner.contextService.deleteWorkspace(workspace.id);
    await settle(owner, member);
    expect(await member.retryQuarantined(refused?.id ?? '')).toBe(true);
    expect(await member.countUnsynced()).toMatchObject({ refused: 0, total: 0 });
  });

  it('every kind of change is set aside in its group, the server’s values are shown, and all is retried when the role is raised (D7, D11, D26)', async () => {
    const { member, workspace, project, milestone, task, child, setRole } = await setUp('editor');
    const { contextService: service } = member;
    const before = await deviceSnapshot(member.database);
    await setRole('viewer');
    await service.updateTaskStage(task.id, 'PLAN_REVIEW');
    await service.updateTask(child.id, { title: 'renamed', description: 'and described' });
    const made = await service.createTask({ milestone_id: milestone.id, title: 'made' });
    await service.createTask({ milestone_id: milestone.id, title: 'under it', parent_task_id: made.id });
    await service.addTaskDependency(child.id, made.id);
    const pattern = await service.createPattern({ workspace_id: workspace.id, name: 'Pattern' });
    await service.updateProject(project.id, { name: 'Renamed' });
    const doomed = await service.createMilestone({ project_id: project.id, name: 'made and deleted' });
    await service.deleteMilestone(doomed.id);
    const waiting = member.syncStatus.pending || (await member.countUnsynced()).pending;
    const result = await member.sync();
    expect(result).toMatchObject({ status: 'ok', pushed: 0, rejected: waiting });

    // All of it is back to what the server has; only the membership's role is news.
    const shown = await deviceSnapshot(member.database);
    const changed = Object.keys({ ...before, ...shown }).filter(
      (key) => JSON.stringify(before[key]) !== JSON.stringify(shown[key]),
    );
    expect(changed.map((key) => key.split('/')[0])).toEqual(['workspace_members']);
    await expectInStep(world, member);

    const entries = await entriesOf(member);
    expect(entries).toHaveLength(waiting);
    expect(new Set(entries.map(({ operation }) => operation))).toEqual(new Set(['insert', 'update']));
    const groupOf = (id: string) => entries.find(({ recordId }) => recordId === id)?.groupId;
    const stageMove = entries.filter(({ groupId }) => groupId === groupOf(task.id));
    expect(stageMove.map(({ recordTable }) => recordTable).sort()).toEqual(['activity_feed', 'tasks']);
    expect(groupOf(pattern.id)).not.toBe(groupOf(project.id));

    await setRole('editor');
    await settle(member);
    expect(member.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
    expect((await service.getLocalTask(task.id))?.current_stage).toBe('PLAN_REVIEW');
    expect(await service.getLocalTask(child.id)).toMatchObject({
      title: 'renamed',
      description: 'and described',
    });
    expect((await service.getTaskContext(child.id))?.dependencies.map(({ id }) => id)).toEqual([made.id]);
    expect((await service.getTasks(milestone.id)).map(({ title }) => title)).toEqual(
      expect.arrayContaining(['made', 'under it']),
    );
    await expectConverged(world, member, owner);
  });

  it('a deleted subtree comes back, and is deleted again when the role is raised (D7, D11, D26)', async () => {
    const { member, project, milestone, task, child, setRole } = await setUp('editor');
    const { contextService: service } = member;
    await setRole('viewer');
    await service.deleteMilestone(milestone.id);
    expect(await service.getLocalTask(child.id)).toBeNull();
    expect(await member.sync()).toMatchObject({ status: 'ok', pushed: 0, rejected: 1 });
    expect(await service.getLocalTask(task.id)).not.toBeNull();
    expect(await service.getLocalTask(child.id)).not.toBeNull();
    expect((await entriesOf(member)).map(({ operation }) => operation)).toEqual(['delete']);
    await expectInStep(world, member);

    await setRole('editor');
    await settle(member);
    expect(await service.getMilestones(project.id)).toEqual([]);
    expect(member.syncStatus.quarantined).toBe(0);
    await expectConverged(world, member, owner);
  });

  it('changes that others have overtaken are left to a person, also when the role is raised (D11, P-NOLOSS)', async () => {
    const { member, project, task, child, setRole } = await setUp('editor');
    const { contextService: service } = member;
    const doomed = await owner.contextService.createMilestone({ project_id: project.id, name: 'Doomed' });
    const inIt = await owner.contextService.createTask({ milestone_id: doomed.id, title: 'in it' });
    await settle(owner, member);
    await setRole('viewer');
    await service.updateTask(task.id, { title: 'wanted by the member' });
    await service.updateTask(child.id, { title: 'nobody else wants this one' });
    await service.deleteMilestone(doomed.id);
    await settle(member);
    await settle(owner);
    await owner.contextService.updateTask(task.id, { title: 'changed by the owner' });
    await owner.contextService.updateTask(inIt.id, { title: 'still worked on' });
    await settle(owner);
    await setRole('editor');
    await settle(member);
    expect(await service.getLocalTask(task.id)).toMatchObject({ title: 'changed by the owner' });
    expect(await service.getMilestones(project.id)).toHaveLength(2);
    const waiting = await entriesOf(member);
    expect(waiting.map(({ operation }) => operation)).toEqual(expect.arrayContaining(['delete', 'update']));
    expect(JSON.stringify(waiting.map(({ change }) => change.values))).toContain('wanted by the member');
    expect(waiting.map(({ recordId }) => recordId)).not.toContain(child.id);

    for (const { id, operation } of waiting) if (operation === 'update') await member.retryQuarantined(id);
    await settle(member);
    expect(await service.getLocalTask(task.id)).toMatchObject({ title: 'wanted by the member' });
    expect(await service.getLocalTask(child.id)).toMatchObject({ title: 'nobody else wants this one' });
    await expectConverged(world, member, owner);
  });
});

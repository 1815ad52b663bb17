import { expect, it } from 'vitest';
import type { ContextService } from '@/domain/contextService';
import type { Deletion } from '@/domain/entities';
import { SEED } from '../../support/seed';
import { expectError, ISO_TIME, rejected, type Section, UNKNOWN_ID, validation } from './world';

/** The deletion of a record, as this service shows it. */
async function deletionOf(service: ContextService, entityId: string): Promise<Deletion> {
  const all = await service.getDeletions(SEED.workspace);
  const found = all.find(({ entity_id }) => entity_id === entityId);
  if (!found) throw new Error('The deletion is not listed.');
  return found;
}

export const deletionsContract: Section = (world) => {
  it('lists what was deleted, newest first, with who did it and how much went with it', async () => {
    const { owner, editor, viewer, settle, task, milestone, userId } = world();
    const { id: milestone_id } = await milestone();
    const alone = await task({ milestone_id, title: 'Alone' });
    const parent = await task({ milestone_id, title: 'Parent' });
    await task({ milestone_id, parent_task_id: parent.id });
    await owner.deleteTask(alone.id);
    await settle();
    await editor.deleteMilestone(milestone_id);
    await settle();
    const [latest, before] = await viewer.getDeletions(SEED.workspace);
    expect(latest).toEqual({
      id: expect.any(String),
      workspace_id: SEED.workspace,
      created_at: expect.stringMatching(ISO_TIME),
      updated_at: expect.stringMatching(ISO_TIME),
      last_modified_by: userId('editor'),
      entity_type: 'milestones',
      entity_id: milestone_id,
      name: 'Contract',
      parts: 3,
      restored_at: null,
    });
    expect(before).toMatchObject({ entity_id: alone.id, name: 'Alone', parts: 1 });
    expect(await viewer.getDeletions(UNKNOWN_ID)).toEqual([]);
    expect(await viewer.getDeletions('x')).toEqual([]);
    expect(await world().outsider.getDeletions(SEED.workspace)).toEqual([]);
  });

  it('restores a record with what went with it, and nothing else; once (U24)', async () => {
    const { owner, editor, settle, task, milestone } = world();
    const { id: milestone_id } = await milestone();
    const before = await task({ milestone_id });
    const kept = await task({ milestone_id });
    const child = await task({ milestone_id, parent_task_id: kept.id });
    await owner.deleteTask(before.id);
    await settle();
    await owner.deleteMilestone(milestone_id);
    await settle();
    const { id } = await deletionOf(editor, milestone_id);
    await editor.restoreDeletion(id);
    await settle();
    expect((await owner.getTasks(milestone_id)).map((each) => each.id).sort()).toEqual(
      [kept.id, child.id].sort(),
    );
    expect((await owner.getTaskContext(child.id))?.parent_task?.id).toBe(kept.id);
    expect((await owner.getDeletions(SEED.workspace)).map((each) => each.id)).not.toContain(id);
    await expectError(owner.restoreDeletion(id), rejected('nothing_to_restore'));
  });

  it('a viewer restores nothing, an agent what agents write (U26)', async () => {
    const { owner, viewer, agent, outsider, settle, task } = world();
    const { id, milestone_id } = await task();
    await owner.deleteTask(id);
    await settle();
    const ofTask = await deletionOf(owner, id);
    await expectError(viewer.restoreDeletion(ofTask.id), rejected('forbidden'));
    await expectError(outsider.restoreDeletion(ofTask.id), validation('not_found', 'deletion_id'));
    await agent.restoreDeletion(ofTask.id);
    await settle();
    expect(await owner.getTaskContext(id)).not.toBeNull();
    await owner.deleteMilestone(milestone_id);
    await settle();
    const ofMilestone = await deletionOf(agent, milestone_id);
    await expectError(agent.restoreDeletion(ofMilestone.id), rejected('forbidden'));
  });

  it('refuses to restore what is no deletion', async () => {
    const { owner } = world();
    await expectError(owner.restoreDeletion(UNKNOWN_ID), validation('not_found', 'deletion_id'));
    await expectError(owner.restoreDeletion('x'), validation('bad_id', 'deletion_id'));
  });
};

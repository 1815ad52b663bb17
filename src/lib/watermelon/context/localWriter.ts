/** Writes plans as local transactions. */

import { ConvoyError, orThrow } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { EntityOf, WorkspaceMember } from '@/domain/entities';
import { type Member, refusalOf } from '@/domain/permissions';
import type { SyncedTable } from '@/domain/schema';
import { noSuchRecord } from '@/domain/validation';
import type { PlanWriter } from '@/domain/writes/contextWrites';
import { newPlaces } from '@/domain/writes/newPlaces';
import type { PlanContext, Requested, WritePlan } from '@/domain/writes/plan';
import type { ConvoyModel } from '../models';
import { Q } from '../models/watermelondb';
import { type LocalFirst, storing } from './localFirst';
import { toEntity } from './localStore';
import { localPlanContext } from './planContext';
import { modelsOf } from './planModels';

export function localWriter(local: LocalFirst): PlanWriter {
  // The server's time, so that tasks of devices whose clocks differ are in the order in which they were made.
  const newPlace = newPlaces(() => local.clock.now() + local.clock.offset());
  const newContext = () => localPlanContext(local, newPlace);
  return {
    writeOn: (request, onRemote) => writeOn(local, newContext, request, onRemote),
    writeNew: <T>(plan: Parameters<PlanWriter['writeNew']>[0]) =>
      inTransaction(local, async () => {
        const planned = orThrow(plan(newContext()));
        return (await writePlan(local, planned, null)) as T;
      }),
  };
}

/**
 * Plans and writes on a record of this device. For a record that is not on it, the remote service writes,
 * where it can be reached.
 */
async function writeOn<T>(
  local: LocalFirst,
  newContext: () => PlanContext,
  request: Requested,
  onRemote: (remote: ContextService) => Promise<T>,
): Promise<T> {
  const { target, plan } = orThrow(request);
  const written = await inTransaction(local, async () => {
    const record = await local.store.record(target.table, target.id);
    if (!record) return null;
    const entity = toEntity<EntityOf[SyncedTable]>(target.table, record.raw);
    const planned = orThrow(await plan(entity, newContext()));
    return { answer: await writePlan(local, planned, record) };
  });
  if (written) return written.answer as T;
  // A record that was deleted on this device may still exist on the server: no write may change it there.
  const isDeleted = await local.store.isDeleted(target.table, target.id);
  if (isDeleted || local.remote === null || !local.isOnline()) {
    return orThrow(noSuchRecord(target.field, target.table));
  }
  const answer = await onRemote(local.remote);
  local.requestSync();
  return answer;
}

function inTransaction<T>({ store }: LocalFirst, work: () => Promise<T>): Promise<T> {
  return storing(() => store.database.write(work));
}

/** Writes a plan that the user may write, or throws the refusal. @returns the plan's answer. */
async function writePlan(
  local: LocalFirst,
  plan: WritePlan,
  target: ConvoyModel | null,
): Promise<EntityOf[SyncedTable] | undefined> {
  await requirePermission(local, plan);
  const { database } = local.store;
  const prepare = await modelsOf({ database, userId: local.userId }, plan, target);
  const models = prepare();
  if (models.length > 0) await database.batch(models);
  if (plan.answer === null) return undefined;
  const { table, id } = plan.answer;
  const answer = [...models, target].find((model) => model?.id === id);
  if (!answer) throw new Error(`The plan answers with the record ${id}, which it does not write.`);
  return toEntity(table, answer.raw);
}

/** Throws the refusal that the server would answer with, as far as this device knows the rules and roles. */
async function requirePermission(local: LocalFirst, plan: WritePlan): Promise<void> {
  if (plan.changes.length === 0) return;
  const member = await membership(local, plan.workspaceId);
  const workflow = plan.move ? await local.store.find('workflows', plan.move.workflowId) : null;
  const refusal = refusalOf(
    plan,
    member,
    workflow as EntityOf['workflows'] | null,
    member?.kind ?? local.kind,
  );
  if (refusal) throw new ConvoyError(refusal);
}

/** The user's membership of a workspace; the creator of a workspace that was never pushed is its owner (R1). */
async function membership({ store, userId, kind }: LocalFirst, workspaceId: string): Promise<Member | null> {
  const [member] = await store.query<WorkspaceMember>(
    'workspace_members',
    Q.where('workspace_id', workspaceId),
    Q.where('user_id', userId),
  );
  if (member) return member;
  const workspace = await store.record('workspaces', workspaceId);
  return workspace && workspace.raw.remote_id === null ? { role: 'owner', kind } : null;
}

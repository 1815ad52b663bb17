import type { ApplyContext } from '../records/applyContext';
import { UnitOfWork } from '../records/unitOfWork';
import type { SyncContext } from './syncContext';

/** @returns a context for one local transaction. */
export function newContext({ database, store, ids, userId, clock }: SyncContext): ApplyContext {
  return {
    database,
    work: new UnitOfWork(database),
    ids,
    deviceId: store.facts.deviceId,
    userId,
    now: clock.now(),
    resyncing: new Set([...store.scopes].flatMap(([id, { resync }]) => (resync ? [ids.toLocal(id)] : []))),
  };
}

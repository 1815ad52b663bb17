/** Exports of the sync engine. */

export { type AutoSyncOptions, startAutoSync } from './automatic/autoSync';
export { DEFAULT_TIMING, type SyncTiming } from './automatic/schedule';
export { IdMappings } from './idMapping';
export type { Acceptance, AcceptResult } from './invitations';
export { mergeRecord } from './merge/mergeRecord';
export {
  DEFAULT_POLICIES,
  type Policies,
  type Policy,
  type TablePolicies,
  withPolicies,
} from './merge/policies';
export { NetworkHint } from './networkHint';
export { pullSync } from './pullSync';
export { pushSync } from './pushSync';
export { observePending, type PendingChange, type PendingChanges } from './records/pending';
export { discardArchived } from './setAside/archive';
export {
  countUnsynced,
  exportUnsynced,
  type UnsyncedCounts,
  type UnsyncedExport,
} from './setAside/exportUnsynced';
export { discardLost, isOnlyHere } from './setAside/ledger';
export {
  culpritOf,
  groupArchived,
  groupRefused,
  listConflicts,
  readSetAside,
  type SetAside,
} from './setAside/listed';
export { discardQuarantined, editQuarantined, retryQuarantined } from './setAside/retry';
export { reverseSettlement, type Settlement, type Side, settleConflict } from './setAside/settle';
export type { SettledDetails } from './setAside/settledActivity';
export { observeUnreadable } from './setAside/unreadable';
export type { Unreadable } from './state/deviceStore';
export type { GroupBounds } from './state/groupBounds';
export type { Progress, SyncResult, SyncStatus } from './state/status';
export { SyncClock } from './state/syncClock';
export type { SyncContext } from './state/syncContext';
export { observeSyncLog, readSyncLog, type SyncLogItem } from './state/syncLog';
export { SyncEngine, type SyncEngineOptions } from './synchronize';

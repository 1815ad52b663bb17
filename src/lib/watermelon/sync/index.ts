export { type AutoSyncOptions, startAutoSync } from './autoSync';
export { exportDatabase, importDatabase } from './databaseFile';
export { countUnsynced, exportUnsynced, type UnsyncedCounts, type UnsyncedExport } from './exportUnsynced';
export { IdMappings } from './idMapping';
export {
  discardLost,
  reverseSettlement,
  type SettledDetails,
  type Settlement,
  settleConflict,
} from './ledger';
export { mergeRecord } from './mergeRecord';
export { DEFAULT_POLICIES, type Policies, type Policy, type TablePolicies, withPolicies } from './policies';
export { type Progress, pullSync } from './pullSync';
export { discardArchived } from './purge';
export { pushSync } from './pushSync';
export { discardQuarantined, editQuarantined, retryQuarantined } from './quarantine';
export { DEFAULT_TIMING, type SyncTiming } from './schedule';
export type { SyncSession } from './session';
export type { SyncResult, SyncStatus } from './status';
export { SyncClock } from './syncClock';
export { SyncEngine, type SyncEngineOptions } from './synchronize';
export { observeSyncLog, readSyncLog, type SyncLogItem } from './syncLog';

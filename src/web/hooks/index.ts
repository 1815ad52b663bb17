/** The hooks of the data layer: live views of the open device, and its actions. */

export { DeviceContext, useDevice } from './useDevice';
export { type MemoryBank, useMemoryBank } from './useMemoryBank';
export { useMemoryBankNavigation } from './useMemoryBankNavigation';
export { useSyncLog } from './useSyncLog';
export { useArchive, useConflicts, useQuarantine } from './useSyncRecords';
export { useSyncStatus } from './useSyncStatus';
export { useTaskActivityHistory } from './useTaskActivityHistory';
export { useTaskContext } from './useTaskContext';
export { type Stage, useTaskStageManagement } from './useTaskStageManagement';
export { useUnsynced } from './useUnsynced';

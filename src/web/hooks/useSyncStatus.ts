import type { SyncStatus } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** The sync status of this device, live. */
export function useSyncStatus(): SyncStatus {
  const device = useDevice();
  return useObservable(() => device.observeSyncStatus(), [device]) ?? device.syncStatus;
}

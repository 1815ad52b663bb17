import type { SyncStatus } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** How this device stands with the server, live. */
export function useSyncStatus(): SyncStatus {
  const device = useDevice();
  return useObservable(() => device.observeSyncStatus(), [device]) ?? device.syncStatus;
}

import type { SyncLogItem } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** What the last syncs of this device did, newest first, live. */
export function useSyncLog(): SyncLogItem[] | undefined {
  const device = useDevice();
  return useObservable(() => device.observeSyncLog(), [device]);
}

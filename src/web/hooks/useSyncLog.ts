import type { SyncLogItem } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** The sync log of this device, newest first, live. */
export function useSyncLog(): SyncLogItem[] | undefined {
  const device = useDevice();
  return useObservable(() => device.observeSyncLog(), [device]);
}

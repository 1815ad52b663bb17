import { useEffect, useState } from 'react';
import type { UnsyncedCounts } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useSyncStatus } from './useSyncStatus';

/** Counts of what is on this device only, counted again when the sync status changes. */
export function useUnsynced(): UnsyncedCounts | null {
  const device = useDevice();
  const { pending, quarantined, kind } = useSyncStatus();
  const [counts, setCounts] = useState<UnsyncedCounts | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the counts change with the status
  useEffect(() => {
    let isShown = true;
    void device.countUnsynced().then((counted) => isShown && setCounts(counted));
    return () => {
      isShown = false;
    };
  }, [device, pending, quarantined, kind]);
  return counts;
}

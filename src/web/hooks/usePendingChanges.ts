import { useEffect, useState } from 'react';
import type { PendingChanges } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useSyncStatus } from './useSyncStatus';

/** The changes that wait to be sent, the newest first, read again when the sync status changes; null until they are known. */
export function usePendingChanges(most: number): PendingChanges | null {
  const device = useDevice();
  const { pending, kind } = useSyncStatus();
  const [changes, setChanges] = useState<PendingChanges | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the changes are others when the status is another
  useEffect(() => {
    let isShown = true;
    device.listPending(most).then(
      (next) => isShown && setChanges(next),
      // A storage that fails has a notice of its own.
      () => undefined,
    );
    return () => {
      isShown = false;
    };
  }, [device, most, pending, kind]);
  return changes;
}

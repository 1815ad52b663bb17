import { useEffect, useState } from 'react';
import type { UnsyncedCounts } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useAcceptances } from './useInvitations';
import { useSyncStatus } from './useSyncStatus';

interface Unsynced {
  /** null until they are counted, and where they cannot be. */
  counts: UnsyncedCounts | null;
  /** Why they could not be counted; null where they were. */
  error: unknown;
}

/** Counts of what is on this device only, counted again when the sync status or the acceptances change; with the reason where they cannot be. */
export function useUnsyncedOrError(): Unsynced {
  const device = useDevice();
  const { pending, quarantined, kind } = useSyncStatus();
  const acceptances = useAcceptances();
  const [unsynced, setUnsynced] = useState<Unsynced>({ counts: null, error: null });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the counts change with the status and the acceptances
  useEffect(() => {
    let isShown = true;
    const show = (next: Unsynced) => isShown && setUnsynced(next);
    device.countUnsynced().then(
      (counts) => show({ counts, error: null }),
      (error: unknown) => show({ counts: null, error }),
    );
    return () => {
      isShown = false;
    };
  }, [device, pending, quarantined, kind, acceptances]);
  return unsynced;
}

/** Counts of what is on this device only; null where they are not known. */
export function useUnsynced(): UnsyncedCounts | null {
  return useUnsyncedOrError().counts;
}

import { useEffect, useState } from 'react';
import type { StorageError } from '@/core/errors';
import { useDevice } from './useDevice';

/** @returns the latest error of the local storage; null: none, or it has passed */
export function useStorageTrouble(): StorageError | null {
  const device = useDevice();
  // A new object each time, so that null renders again too: the salvage report may have changed.
  const [told, setTold] = useState<{ trouble: StorageError | null }>({ trouble: null });
  useEffect(() => {
    let isShown = true;
    device.onStorageTrouble((trouble) => {
      if (isShown) setTold({ trouble });
    });
    return () => {
      isShown = false;
    };
  }, [device]);
  return told.trouble;
}

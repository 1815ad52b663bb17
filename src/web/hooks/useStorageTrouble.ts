import { useEffect, useState } from 'react';
import type { StorageError } from '@/core/errors';
import { useDevice } from './useDevice';

/** @returns the trouble that the local storage told of last; null: there is none, or no more */
export function useStorageTrouble(): StorageError | null {
  const device = useDevice();
  // An object each time: with null what was saved of a damaged database may have changed.
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

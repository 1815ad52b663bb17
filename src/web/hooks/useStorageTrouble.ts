import { useEffect, useState } from 'react';
import type { StorageError } from '@/core/errors';
import { useDevice } from './useDevice';

/** @returns the trouble that the local storage told of last; null: there is none, or no more */
export function useStorageTrouble(): StorageError | null {
  const device = useDevice();
  const [trouble, setTrouble] = useState<StorageError | null>(null);
  useEffect(() => {
    let isShown = true;
    device.onStorageTrouble((error) => {
      if (isShown) setTrouble(error);
    });
    return () => {
      isShown = false;
    };
  }, [device]);
  return trouble;
}

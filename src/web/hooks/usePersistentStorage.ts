import { useEffect, useState } from 'react';
import { platform } from '../platform';
import { useDevice } from './useDevice';
import { useSyncStatus } from './useSyncStatus';

/**
 * Asks the browser not to clear what is stored here, once there is something that exists nowhere else: until
 * then everything could be fetched again, and a browser that asks the person asks when there is a reason.
 */
export function useRequestPersistence(): void {
  const { hasAccount } = useDevice();
  const { pending } = useSyncStatus();
  const isDue = pending > 0 || !hasAccount;
  useEffect(() => {
    if (isDue) void platform.keeping?.ask();
  }, [isDue]);
}

/** @returns whether the browser agreed to that; null: not known yet, or it is no browser's to decide */
export function useIsPersistent(): boolean | null {
  const [isKept, setKept] = useState<boolean | null>(null);
  useEffect(() => {
    let isShown = true;
    void platform.keeping?.isAgreed().then((agreed) => isShown && setKept(agreed));
    return () => {
      isShown = false;
    };
  }, []);
  return isKept;
}

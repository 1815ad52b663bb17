import { useEffect, useState } from 'react';
import { platform } from '../platform';
import { useDevice } from './useDevice';
import { useSyncStatus } from './useSyncStatus';

/**
 * Asks the browser not to clear this origin's storage, once it holds unsynced records or those of no account. Until
 * then the server has everything; and some browsers show a prompt, which should come with a reason.
 */
export function useRequestPersistence(): void {
  const { hasAccount, isDurable } = useDevice();
  const { pending } = useSyncStatus();
  const isDue = isDurable && (pending > 0 || !hasAccount);
  useEffect(() => {
    if (isDue) void platform.keeping?.ask();
  }, [isDue]);
}

/** @returns whether the browser agreed not to clear the storage; null: unknown yet, or storage is not the browser's */
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

import { useEffect, useState } from 'react';
import { platform } from '../platform';
import { useDevice } from './useDevice';
import { useSyncStatus } from './useSyncStatus';

/** @returns whether something exists on this device alone, in storage that the browser may clear */
function useIsOnlyHere(): boolean {
  const { hasAccount, isDurable } = useDevice();
  const { pending } = useSyncStatus();
  return isDurable && (pending > 0 || !hasAccount);
}

/**
 * Asks the browser not to clear this origin's storage, once it holds unsynced records or those of no account. Until
 * then the server has everything; and some browsers show a prompt, which should come with a reason.
 */
export function useRequestPersistence(): void {
  const isDue = useIsOnlyHere();
  useEffect(() => {
    if (isDue) void platform.keeping?.ask();
  }, [isDue]);
}

/** Most work is only here for a moment, until it is synced: ms after which a person should know. */
const SETTLED_MS = 10_000;

/** @returns whether something has been on this device alone for a while, and the browser has refused to keep it */
export function useIsAtRisk(): boolean {
  const device = useDevice();
  const isOnlyHere = useIsOnlyHere();
  const [isRefused, setRefused] = useState(false);
  useEffect(() => {
    const { keeping } = platform;
    if (!isOnlyHere || !keeping) return;
    let isShown = true;
    const look = async () => {
      // Without an account a device may have nothing yet, and its status counts nothing.
      if ((await device.countUnsynced()).total === 0 || (await keeping.ask()) || !isShown) return;
      setRefused(true);
      clearInterval(timer);
    };
    // A storage that fails has a notice of its own.
    const timer = setInterval(() => void look().catch(() => undefined), SETTLED_MS);
    return () => {
      isShown = false;
      clearInterval(timer);
      setRefused(false);
    };
  }, [device, isOnlyHere]);
  return isRefused;
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

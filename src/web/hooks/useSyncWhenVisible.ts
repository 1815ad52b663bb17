import { useEffect } from 'react';
import { useDevice } from './useDevice';

/** Somebody who comes back to the page wants to see the present: sync then. */
export function useSyncWhenVisible(): void {
  const device = useDevice();
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void device.sync();
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [device]);
}

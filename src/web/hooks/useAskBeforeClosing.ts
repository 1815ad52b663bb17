import { useEffect } from 'react';
import { useDevice } from './useDevice';
import { useUnsynced } from './useUnsynced';

/** Where nothing outlives the window, the browser asks before it is closed while something is on no server. */
export function useAskBeforeClosing(): void {
  const { isDurable } = useDevice();
  const unsynced = useUnsynced();
  const isDue = !isDurable && unsynced !== null && unsynced.total > 0;
  useEffect(() => {
    if (!isDue) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [isDue]);
}

import { useSyncExternalStore } from 'react';
import { appUpdates, type UpdateState } from '@/platform/web/offline/updates';

const subscribe = (listener: () => void) => appUpdates.subscribe(listener);

/** @returns whether a newer version of the app is here */
export function useAppUpdate(): UpdateState {
  return useSyncExternalStore(subscribe, () => appUpdates.state);
}

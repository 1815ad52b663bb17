import type { PendingChanges } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useKept } from './useKept';
import { useObservable } from './useObservable';

/** The changes that wait to be sent, the newest first, live. @returns undefined until they are known */
export function usePendingChanges(most: number): PendingChanges | undefined {
  const device = useDevice();
  return useKept(useObservable(() => device.observePending(most), [device, most]));
}

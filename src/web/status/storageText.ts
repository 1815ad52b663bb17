/** The state of the local storage in words. Pure, so that it can be tested. */

import type { StorageError } from '@/core/errors';
import type { SalvageReport } from '@/core/storage';
import { describeDetail } from '../ui/errorText';
import { LOST_WITH_TAB, NOT_DURABLE } from '../ui/notDurable';

export interface StorageText {
  headline: string;
  detail: string;
  isError: boolean;
  /** Nothing can be written until the page is reloaded. */
  needsReload: boolean;
}

interface StorageState {
  trouble: StorageError | null;
  isDurable: boolean;
  salvaged: SalvageReport | null;
}

/** @returns the notice; null while all is well */
export function storageText({ trouble, isDurable, salvaged }: StorageState): StorageText | null {
  if (trouble) return troubleText(trouble);
  if (salvaged) {
    return {
      headline: 'The data on this device was damaged.',
      detail: salvaged.complete
        ? 'Everything unsynced was saved; the rest comes back with the next sync.'
        : 'What could be read of your unsynced changes was saved, but not all of it; the rest comes back with the next sync.',
      isError: !salvaged.complete,
      needsReload: false,
    };
  }
  if (isDurable) return null;
  return {
    headline: NOT_DURABLE,
    detail: LOST_WITH_TAB,
    isError: false,
    needsReload: false,
  };
}

function troubleText(trouble: StorageError): StorageText {
  const { headline, detail } = describeDetail(trouble);
  // After a reload the storage is opened anew; a full disk stays full, but is written to as soon as it has room.
  return { headline, detail, isError: true, needsReload: trouble.code !== 'quota' };
}

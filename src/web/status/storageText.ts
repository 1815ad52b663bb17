/** The state of the local storage in words. Pure, so that it can be tested. */

import type { StorageError } from '@/core/errors';
import type { SalvageReport } from '@/core/storage';

export interface StorageText {
  headline: string;
  detail: string;
  isError: boolean;
  /** Nothing can be written before the page is loaded anew. */
  needsReload: boolean;
}

interface StorageState {
  trouble: StorageError | null;
  isDurable: boolean;
  salvaged: SalvageReport | null;
}

/** @returns what to tell; null while all is well */
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
    headline: 'Not durable in this window.',
    detail: 'This browser keeps nothing of a private window. What is not synced is lost when you close it.',
    isError: false,
    needsReload: false,
  };
}

function troubleText({ code, message }: StorageError): StorageText {
  switch (code) {
    case 'newer_schema':
      return {
        headline: 'A newer Convoy is open in another tab.',
        detail: 'Reload to go on here. Copy first what you have typed; everything saved is safe.',
        isError: true,
        needsReload: true,
      };
    case 'quota':
      return {
        headline: 'This device is full.',
        detail:
          'The last change was not saved. Free some space and make it again; everything before is safe.',
        isError: true,
        needsReload: false,
      };
    case 'corrupt':
      return {
        headline: 'The data on this device is damaged.',
        detail:
          'Close other Convoy tabs and reload: what can be saved is saved, the rest comes from the server.',
        isError: true,
        needsReload: true,
      };
    case 'locked':
    case 'overtaken':
    case 'no_migration':
    case 'migration_failed':
    case 'foreign_file':
    case 'unsynced_work':
    case 'unavailable':
    case 'not_loaded':
      return { headline: message, detail: 'Reload to try again.', isError: true, needsReload: true };
  }
}

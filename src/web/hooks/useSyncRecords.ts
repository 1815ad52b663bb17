import { map } from 'rxjs';
import {
  Archived,
  Conflict,
  groupArchived,
  groupRefused,
  listConflicts,
  Quarantined,
  type Unreadable,
} from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** Refused changes, newest first, in the groups that are retried and discarded together. */
export function useQuarantine(): Quarantined[][] | undefined {
  const { database } = useDevice();
  return useObservable(() => database.of(Quarantined).query().observe().pipe(map(groupRefused)), [database]);
}

/** The conflict ledger of this device, newest first, without edits lost to the user's own deletions. */
export function useConflicts(): Conflict[] | undefined {
  const { database } = useDevice();
  return useObservable(
    () =>
      database
        .of(Conflict)
        .query()
        .observeWithColumns(['state', 'columns'] as never[])
        .pipe(map(listConflicts)),
    [database],
  );
}

/** The archive, newest first, in groups of changes that were archived together. */
export function useArchive(): Archived[][] | undefined {
  const { database } = useDevice();
  return useObservable(() => database.of(Archived).query().observe().pipe(map(groupArchived)), [database]);
}

/** Rows of the server that this device could not store, the latest first. */
export function useUnreadable(): Unreadable[] | undefined {
  const device = useDevice();
  return useObservable(() => device.observeUnreadable(), [device]);
}

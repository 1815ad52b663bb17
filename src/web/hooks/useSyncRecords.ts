import { map } from 'rxjs';
import { Archived, Conflict, Quarantined, type Unreadable } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** Refused changes, newest first, in the groups that are retried and discarded together. */
export function useQuarantine(): Quarantined[][] | undefined {
  const { database } = useDevice();
  return useObservable(
    () =>
      database
        .of(Quarantined)
        .query()
        .observe()
        .pipe(map((entries) => grouped(byTime(entries), ({ groupId }) => groupId))),
    [database],
  );
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
        .pipe(map((entries) => byTime(entries.filter(({ kind }) => kind !== 'deleted')))),
    [database],
  );
}

/** The archive, newest first, in groups of changes that were archived together. */
export function useArchive(): Archived[][] | undefined {
  const { database } = useDevice();
  return useObservable(
    () =>
      database
        .of(Archived)
        .query()
        .observe()
        .pipe(map((entries) => grouped(byTime(entries), archivedTogether))),
    [database],
  );
}

/** Rows of the server that this device could not store, the latest first. */
export function useUnreadable(): Unreadable[] | undefined {
  const device = useDevice();
  return useObservable(() => device.observeUnreadable(), [device]);
}

const archivedTogether = ({ workspaceId, reason, occurredAt }: Archived) =>
  `${workspaceId} ${reason} ${occurredAt.getTime()}`;

function byTime<T extends { occurredAt: Date }>(entries: T[]): T[] {
  return [...entries].sort((a, b) => b.occurredAt.getTime() - a.occurredAt.getTime());
}

function grouped<T>(entries: T[], keyOf: (entry: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const entry of entries) groups.set(keyOf(entry), [...(groups.get(keyOf(entry)) ?? []), entry]);
  return [...groups.values()];
}

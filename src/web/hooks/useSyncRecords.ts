import { map } from 'rxjs';
import type { Conflict, Quarantined } from '@/lib/watermelon';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** Changes the server refused, newest first, by the groups that are retried and discarded together. */
export function useQuarantine(): Quarantined[][] | undefined {
  const { database } = useDevice();
  return useObservable(
    () =>
      database
        .get<Quarantined>('sync_quarantine')
        .query()
        .observe()
        .pipe(map((entries) => byGroup(byTime(entries)))),
    [database],
  );
}

/** The conflict ledger of this device, newest first. */
export function useConflicts(): Conflict[] | undefined {
  const { database } = useDevice();
  return useObservable(
    () =>
      database
        .get<Conflict>('sync_conflicts')
        .query()
        .observeWithColumns(['state', 'columns'] as never[])
        .pipe(map(byTime)),
    [database],
  );
}

function byTime<T extends { occurredAt: Date }>(entries: T[]): T[] {
  return [...entries].sort((a, b) => b.occurredAt.getTime() - a.occurredAt.getTime());
}

function byGroup(entries: Quarantined[]): Quarantined[][] {
  const groups = new Map<string, Quarantined[]>();
  for (const entry of entries) groups.set(entry.groupId, [...(groups.get(entry.groupId) ?? []), entry]);
  return [...groups.values()];
}

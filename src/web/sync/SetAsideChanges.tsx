import type { SetAsideValues } from '@/domain/setAsideText';
import type { Archived, Quarantined } from '@/lib/watermelon';
import { SetAsideChange } from './SetAsideChange';

interface SetAsideChangesProps<Entry> {
  entries: readonly Entry[];
  valuesOf: (entry: Entry) => Pick<SetAsideValues, 'values' | 'base'>;
}

/** The changes of the quarantine or the archive that are decided about together. */
export function SetAsideChanges<Entry extends Archived | Quarantined>({
  entries,
  valuesOf,
}: SetAsideChangesProps<Entry>) {
  return (
    <ul className="wanted">
      {entries.map((entry) => (
        <li key={entry.id}>
          <SetAsideChange
            table={entry.recordTable}
            id={entry.recordId}
            workspaceId={entry.workspaceId}
            operation={entry.operation}
            {...valuesOf(entry)}
          />
        </li>
      ))}
    </ul>
  );
}

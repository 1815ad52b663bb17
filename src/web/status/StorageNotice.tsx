import { useEffect, useState } from 'react';
import type { StorageError } from '@/core/errors';
import type { SalvageReport } from '@/core/storage';
import type { SyncedTable } from '@/domain/schema';
import { useDevice } from '../hooks/useDevice';
import { useStorageTrouble } from '../hooks/useStorageTrouble';
import { RecordName } from '../shared/RecordName';
import { count } from '../ui/count';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { useAction } from '../ui/useAction';
import { storageText } from './storageText';

/** The notice about the local storage; nothing while all is well. */
export function StorageNotice() {
  const device = useDevice();
  const trouble = useStorageTrouble();
  useReloadForNewerCode(trouble);
  const [isRead, setRead] = useState(false);
  const forgetting = useAction(async () => {
    await device.forgetSalvaged();
    setRead(true);
  });
  const salvaged = isRead ? null : device.salvaged;
  const text = storageText({ trouble, isDurable: device.isDurable, salvaged });
  if (text === null) return null;
  return (
    <div className={`storage-notice note ${text.isError ? 'note-error' : ''}`} role="alert">
      <Icon name="warning" />
      <div className="storage-notice-text">
        <strong>{text.headline}</strong> {text.detail}
        {trouble === null && salvaged && <SalvagedRecords records={salvaged.saved} />}
        <ErrorNote error={forgetting.error} />
      </div>
      {trouble === null && salvaged && (
        <button
          type="button"
          className="button"
          disabled={forgetting.isRunning}
          onClick={() => void forgetting.run()}
        >
          Dismiss
        </button>
      )}
      {text.needsReload && (
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Reload
        </button>
      )}
    </div>
  );
}

/** Tables whose records have names that people know; other records are not listed. */
const NAMED = ['workspaces', 'projects', 'milestones', 'tasks', 'workflows', 'patterns', 'best_practices'];

/** The unsynced records that were salvaged from a damaged database. */
function SalvagedRecords({ records }: { records: SalvageReport['saved'] }) {
  const named = NAMED.flatMap((table) =>
    (records[table] ?? []).map((id) => ({ table: table as SyncedTable, id })),
  );
  if (named.length === 0) return null;
  return (
    <details open={named.length <= 5}>
      <summary>{count(named.length, 'unsynced record')} saved</summary>
      <ul>
        {named.map(({ table, id }) => (
          <li key={id}>
            <RecordName table={table} id={id} />
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Reloads when newer code in another tab has upgraded the database, unless typed text would be lost. */
function useReloadForNewerCode(trouble: StorageError | null) {
  useEffect(() => {
    if (trouble?.code !== 'newer_schema' || hasUnsavedInput()) return;
    // Offline the page could not be loaded again, so the server is asked first.
    void fetch('/convoy.json', { cache: 'no-store' }).then(
      ({ ok }) => {
        if (ok && !hasUnsavedInput()) window.location.reload();
      },
      () => undefined,
    );
  }, [trouble]);
}

function hasUnsavedInput(): boolean {
  if (document.querySelector('dialog[open]')) return true;
  return [...document.querySelectorAll('textarea')].some(({ value }) => value.trim() !== '');
}

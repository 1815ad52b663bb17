import { useEffect, useState } from 'react';
import { count } from '@/core/count';
import type { StorageError } from '@/core/errors';
import type { SalvageReport } from '@/core/storage';
import type { SyncedTable } from '@/domain/schema';
import { useDevice } from '../hooks/useDevice';
import { useStorageTrouble } from '../hooks/useStorageTrouble';
import { RecordName } from '../shared/RecordName';
import { SaveDatabaseButton } from '../shared/SaveDatabaseButton';
import { hasUnsavedInput } from '../shared/unsavedInput';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { useAction } from '../ui/useAction';
import { NotKeptNotice } from './NotKeptNotice';
import { storageText } from './storageText';

/** The notices about the local storage; nothing while all is well. */
export function StorageNotices() {
  return (
    <>
      <StorageNotice />
      <MovedNotice />
      <NotKeptNotice />
    </>
  );
}

function StorageNotice() {
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
    <div className={`storage-notice note ${text.isError ? 'note-error' : 'note-warning'}`} role="alert">
      <Icon name="warning" />
      <div className="storage-notice-text">
        <strong>{text.headline}</strong> {text.detail}
        {trouble === null && salvaged && <NamedRecords records={salvaged.saved} what="saved" />}
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
      {!device.isDurable && <SaveDatabaseButton />}
      {text.needsReload && (
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Reload
        </button>
      )}
    </div>
  );
}

/** Lists what an earlier version had left in this browser, until it is dismissed or the page is loaded again. */
function MovedNotice() {
  const { moved, isDurable } = useDevice();
  const [isRead, setRead] = useState(false);
  if (moved === null || isRead) return null;
  return (
    <div className="storage-notice note" role="alert">
      <Icon name="warning" />
      <div className="storage-notice-text">
        <strong>Work of an earlier version was found in this browser.</strong>{' '}
        {isDurable
          ? 'It is here now, with everything else.'
          : 'It is here now, and stays in the browser, too, until it is synced.'}
        <NamedRecords records={moved} what="found" />
      </div>
      <button type="button" className="button" onClick={() => setRead(true)}>
        Dismiss
      </button>
    </div>
  );
}

/** Tables whose records have names that people know; other records are not listed. */
const NAMED = ['workspaces', 'projects', 'milestones', 'tasks', 'workflows', 'patterns', 'best_practices'];

/** @param what was done with the records */
function NamedRecords({ records, what }: { records: SalvageReport['saved']; what: string }) {
  const named = NAMED.flatMap((table) =>
    (records[table] ?? []).map((id) => ({ table: table as SyncedTable, id })),
  );
  if (named.length === 0) return null;
  return (
    <details open={named.length <= 5}>
      <summary>
        {count(named.length, 'unsynced record')} {what}
      </summary>
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

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

/** What people have to know of the local storage; nothing while all is well. */
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

/** What people call by a name; the rest goes with it. */
const NAMED = ['workspaces', 'projects', 'milestones', 'tasks', 'workflows', 'patterns', 'best_practices'];

/** What was unsynced in a damaged database and is still here. */
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

/** Newer code in another tab has taken over: this tab loads it too, unless something typed would be lost. */
function useReloadForNewerCode(trouble: StorageError | null) {
  useEffect(() => {
    if (trouble?.code !== 'newer_schema' || hasUnsavedInput()) return;
    // Without a server there would be no page after that.
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

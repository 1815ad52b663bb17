import { useState } from 'react';
import { count } from '@/core/count';
import { pageStorage } from '@/platform/web/pageStorage';
import { useDevice } from '../hooks/useDevice';
import { useIsAtRisk } from '../hooks/usePersistentStorage';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { SaveDatabaseButton } from '../shared/SaveDatabaseButton';
import { Icon } from '../ui/Icon';
import { useAction } from '../ui/useAction';

/** Key in the page's storage, set once a person has read the notice. */
const READ = 'convoy:not-kept-read';

/** Says what it means that the browser has not agreed to keep what exists only here, and what helps (D47). */
export function NotKeptNotice() {
  const device = useDevice();
  const { pending, kind } = useSyncStatus();
  const isAtRisk = useIsAtRisk();
  const [isRead, setRead] = useState(() => pageStorage().getItem(READ) !== null);
  const syncing = useAction(() => device.sync());
  if (!isAtRisk || isRead) return null;
  const dismiss = () => {
    setRead(true);
    pageStorage().setItem(READ, 'yes');
  };
  const what = device.hasAccount
    ? `${count(pending, 'change')} ${pending === 1 ? 'is' : 'are'} not on the server yet. Sync, or save the database as a file.`
    : 'Your work is here alone. Sign in to keep it on the server, too, or save the database as a file.';
  return (
    <div className="storage-notice note note-warning" role="status">
      <Icon name="warning" />
      <div className="storage-notice-text">
        <strong>This browser may clear what is only here.</strong> It has not agreed to keep the data of this
        site, and removes it when the disk is full or the site is not used for long. {what}
      </div>
      <div className="actions storage-notice-actions">
        {device.hasAccount && (
          <button
            type="button"
            className="button"
            disabled={kind === 'syncing' || syncing.isRunning}
            onClick={() => void syncing.run()}
          >
            Sync now
          </button>
        )}
        <SaveDatabaseButton />
        <button type="button" className="button quiet" onClick={dismiss}>
          Dismiss
        </button>
      </div>
    </div>
  );
}

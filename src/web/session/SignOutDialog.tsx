import { useAction } from '../hooks/useAction';
import { useDevice } from '../hooks/useDevice';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';

interface SignOutDialogProps {
  onClose: () => void;
  onLeave: () => Promise<void>;
}

/** Asks before signing out; where changes are unsynced, it says so and offers to sync first. */
export function SignOutDialog({ onClose, onLeave }: SignOutDialogProps) {
  const device = useDevice();
  const { pending } = useSyncStatus();
  const leaving = useAction(onLeave);
  const syncing = useAction(async () => {
    const result = await device.sync();
    if (result.error) throw new Error(result.error.message);
    if (result.status === 'offline') throw new Error('there is no network');
    if (device.syncStatus.pending === 0) await onLeave();
  });
  const isBusy = leaving.isRunning || syncing.isRunning;

  if (pending === 0) {
    return (
      <Dialog title="Sign out?" onClose={onClose}>
        <p>Everything is synced. Your data stays on this device for the next time you sign in.</p>
        <div className="actions">
          <button
            type="button"
            className="button primary"
            disabled={isBusy}
            onClick={() => void leaving.run()}
          >
            Sign out
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="Sign out with unsynced changes?" onClose={onClose}>
      <p>
        <strong>
          {pending === 1 ? '1 change has' : `${pending} changes have`} not reached the server yet.
        </strong>{' '}
        If you sign out anyway, they stay on this device and are sent when you sign in here again.
      </p>
      {syncing.error !== null && (
        <ErrorNote error={new Error(`the sync did not finish (${(syncing.error as Error).message})`)} />
      )}
      <div className="actions">
        <button type="button" className="button primary" disabled={isBusy} onClick={() => void syncing.run()}>
          {syncing.isRunning ? 'Syncing …' : 'Sync first'}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button danger" disabled={isBusy} onClick={() => void leaving.run()}>
          Sign out anyway
        </button>
      </div>
    </Dialog>
  );
}

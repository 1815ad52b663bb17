import { useState } from 'react';
import { count } from '@/core/count';
import { ConvoyError } from '@/core/errors';
import type { SignOutOptions, SignOutResult, UnsyncedCounts } from '@/lib/watermelon';
import { useDevice } from '../hooks/useDevice';
import { useUnsyncedOrError } from '../hooks/useUnsynced';
import { DownloadButton } from '../shared/DownloadButton';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';

interface SignOutDialogProps {
  onClose: () => void;
  onLeave: (options: SignOutOptions) => Promise<SignOutResult>;
}

const STILL_SIGNED_IN = 'You are still signed in.';

/** Asks before signing out whether unsynced work is synced, kept or discarded. */
export function SignOutDialog({ onClose, onLeave }: SignOutDialogProps) {
  const { counts: unsynced, error: uncounted } = useUnsyncedOrError();
  const [isDiscarding, setDiscarding] = useState(false);
  const leaving = useAction(onLeave);
  if (uncounted !== null) {
    return (
      <Dialog title="Sign out?" onClose={onClose}>
        <ErrorNote error={uncounted} consequence="Nobody knows how much of your work is not synced yet." />
        <p>Signing out keeps all of it on this device, for the next time you sign in.</p>
        <ErrorNote error={leaving.error} consequence={STILL_SIGNED_IN} />
        <div className="actions">
          <button
            type="button"
            className="button primary"
            disabled={leaving.isRunning}
            onClick={() => void leaving.run({ unsynced: 'keep' })}
          >
            Keep and sign out
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </Dialog>
    );
  }
  if (unsynced === null) return null;
  if (isDiscarding) {
    return <DiscardDialog unsynced={unsynced} onLeave={onLeave} onClose={() => setDiscarding(false)} />;
  }
  return (
    <AskDialog
      unsynced={unsynced}
      onLeave={onLeave}
      onClose={onClose}
      onDiscard={() => setDiscarding(true)}
    />
  );
}

interface AskDialogProps extends SignOutDialogProps {
  unsynced: UnsyncedCounts;
  onDiscard: () => void;
}

/** One dialog whatever is unsynced: a sync that ends meanwhile takes no button away from under the pointer, and no answer. */
function AskDialog({ unsynced, onLeave, onClose, onDiscard }: AskDialogProps) {
  const keeping = useAction(() => onLeave({ unsynced: 'keep' }));
  const [isRestUnsendable, setRestUnsendable] = useState(false);
  const syncing = useAction(async () => {
    setRestUnsendable(false);
    const left = await onLeave({ unsynced: 'sync' });
    if (left.status === 'signed_out') return;
    if (left.sync?.error) throw new ConvoyError(left.sync.error);
    if (left.sync?.status === 'offline') {
      throw new ConvoyError({ kind: 'transport', code: 'offline', message: 'There is no network.' });
    }
    setRestUnsendable(true);
  });
  const isBusy = keeping.isRunning || syncing.isRunning;
  const isSynced = unsynced.total === 0;
  const isSendable = unsynced.pending + unsynced.unconfirmed + unsynced.acceptances > 0;
  return (
    <Dialog title={isSynced ? 'Sign out?' : 'Sign out with unsynced changes?'} onClose={onClose}>
      {isSynced ? <Synced /> : <Unsynced unsynced={unsynced} />}
      <ErrorNote
        error={isSynced ? null : syncing.error}
        consequence="The sync did not finish, so you are still signed in."
      />
      <ErrorNote error={keeping.error} consequence={STILL_SIGNED_IN} />
      {isRestUnsendable && !isSynced && (
        <p className="note" role="alert">
          The sync is done, and the server has not taken the rest. Download it, keep it or discard it.
        </p>
      )}
      <div className="actions">
        {(isSendable || isSynced) && (
          <button
            type="button"
            className="button primary"
            disabled={isBusy}
            onClick={() => void (isSynced ? keeping : syncing).run()}
          >
            {syncing.isRunning ? 'Syncing …' : isSynced ? 'Sign out' : 'Sync first'}
          </button>
        )}
        {!isSynced && (
          <>
            <button
              type="button"
              className={isSendable ? 'button' : 'button primary'}
              disabled={isBusy}
              onClick={() => void keeping.run()}
            >
              Keep and sign out
            </button>
            <DownloadButton />
            <button type="button" className="button quiet-danger" disabled={isBusy} onClick={onDiscard}>
              Discard …
            </button>
          </>
        )}
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

function Synced() {
  const { isDurable } = useDevice();
  return (
    <p>
      Everything is synced.
      {isDurable && ' Your data stays on this device for the next time you sign in.'}
    </p>
  );
}

function Unsynced({ unsynced }: { unsynced: UnsyncedCounts }) {
  const { isDurable } = useDevice();
  const { pending, unconfirmed, acceptances } = unsynced;
  return (
    <>
      <ul className="plain-list">
        {pending > 0 && (
          <li>
            <strong>
              {pending === 1 ? '1 change has' : `${count(pending, 'change')} have`} not reached the server
              yet.
            </strong>
          </li>
        )}
        {unconfirmed > 0 && (
          <li>
            <strong>
              The server was put back to a backup, and may miss {count(unconfirmed, 'record')} that
              {unconfirmed === 1 ? ' is' : ' are'} here.
            </strong>
          </li>
        )}
        {acceptances > 0 && (
          <li>
            <strong>
              You have accepted {count(acceptances, 'invitation')}, and the server does not know it yet.
            </strong>
          </li>
        )}
        <OnlyHere unsynced={unsynced} />
      </ul>
      <p>
        {isDurable
          ? 'What you keep on this device is here when you sign in again.'
          : 'What you keep is in this tab when you sign in again, and is lost when the tab is closed.'}{' '}
        Other accounts that sign in here do not see it.
      </p>
    </>
  );
}

/** Changes that are set aside: no sync sends them. */
function OnlyHere({ unsynced: { refused, archived, conflicts } }: { unsynced: UnsyncedCounts }) {
  return (
    <>
      {refused > 0 && <li>{count(refused, 'refused change')} on this device only.</li>}
      {archived > 0 && <li>{count(archived, 'change')} in the archive, on this device only.</li>}
      {conflicts > 0 && <li>{count(conflicts, 'conflict')} with values on this device only.</li>}
    </>
  );
}

function DiscardDialog({ unsynced, onLeave, onClose }: SignOutDialogProps & { unsynced: UnsyncedCounts }) {
  const discarding = useAction(() => onLeave({ unsynced: 'discard' }));
  return (
    <Dialog title="Remove your data from this device?" onClose={onClose}>
      <p>
        <strong>{count(unsynced.total, 'unsynced change')} will be lost for good.</strong> What is on the
        server stays there, and comes back when you sign in here again.
      </p>
      <ErrorNote error={discarding.error} consequence="Your data was not removed from this device." />
      <div className="actions">
        <button
          type="button"
          className="button danger"
          disabled={discarding.isRunning}
          onClick={() => void discarding.run()}
        >
          Discard and sign out
        </button>
        <DownloadButton />
        <button type="button" className="button" onClick={onClose}>
          Back
        </button>
      </div>
    </Dialog>
  );
}

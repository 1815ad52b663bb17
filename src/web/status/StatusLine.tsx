import { Link } from 'wouter';
import { count } from '@/core/count';
import { countRefused } from '@/domain/inbox';
import { useDevice } from '../hooks/useDevice';
import { useInbox } from '../hooks/useInbox';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { routes } from '../routes';
import { Icon } from '../ui/Icon';
import { useAction } from '../ui/useAction';
import { useNow } from '../ui/useNow';
import { Announcement } from './Announcement';
import { IN_THIS_TAB_ONLY, statusText, WITHOUT_ACCOUNT } from './statusText';

/** The sync status of this device, on every page. */
export function StatusLine({ sessionEnded, onSignIn }: { sessionEnded: boolean; onSignIn: () => void }) {
  const device = useDevice();
  const { isDurable } = device;
  const status = useSyncStatus();
  const now = useNow();
  const syncing = useAction(() => device.sync());
  const { tone, headline, detail, needsSignIn } = device.hasAccount
    ? statusText(status, { now, sessionEnded, isDurable })
    : isDurable
      ? WITHOUT_ACCOUNT
      : IN_THIS_TAB_ONLY;
  const inbox = useInbox();
  const conflicts = inbox?.conflicts.length ?? 0;
  // The inbox has the newest ones.
  const refused = inbox && !inbox.is_cut ? countRefused(inbox.refused) : status.quarantined;
  const isBusy = status.kind === 'syncing' || syncing.isRunning;

  return (
    <section className="status-line" aria-label="Sync status">
      <Announcement>{tone === 'busy' ? '' : headline}</Announcement>
      <Link className={`status status-tone-${tone}`} href={routes.sync()}>
        <span className="status-dot" aria-hidden="true" />
        <span className="status-text">
          <span className="status-headline">{headline}</span>
          {detail !== null && <span className="status-detail">{detail}</span>}
        </span>
      </Link>
      {refused > 0 && (
        <Link className="status-refused" href={routes.sync()}>
          <Icon name="warning" />
          {count(refused, 'refused change')}
        </Link>
      )}
      {conflicts > 0 && (
        <Link className="status-refused" href={routes.sync()}>
          <Icon name="conflict" />
          {count(conflicts, 'conflict')}
        </Link>
      )}
      {needsSignIn && (
        <button type="button" className="button primary" onClick={onSignIn}>
          Sign in again
        </button>
      )}
      {device.hasAccount && !needsSignIn && (
        <button
          type="button"
          className="button quiet"
          aria-disabled={isBusy}
          onClick={() => {
            if (!isBusy) void syncing.run();
          }}
        >
          <Icon name="sync" />
          <span className="wide-only">Sync now</span>
          <span className="narrow-only visually-hidden">Sync now</span>
        </button>
      )}
    </section>
  );
}

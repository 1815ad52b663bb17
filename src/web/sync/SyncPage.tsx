import { useDevice } from '../hooks/useDevice';
import { useConflicts, useQuarantine } from '../hooks/useSyncRecords';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { DownloadButton } from '../shared/DownloadButton';
import { statusText } from '../status/statusText';
import { EmptyState } from '../ui/EmptyState';
import { Icon } from '../ui/Icon';
import { useAction } from '../ui/useAction';
import { useNow } from '../ui/useNow';
import { ArchiveSection } from './ArchiveSection';
import { ConflictEntry } from './ConflictEntry';
import { DatabaseFile } from './DatabaseFile';
import { RefusedGroup } from './RefusedGroup';
import { SyncLog } from './SyncLog';
import { UnreadableSection } from './UnreadableSection';

/** The sync status, refused changes, rows that cannot be shown, archive, conflicts, sync log and database file. */
export function SyncPage() {
  const { hasAccount } = useDevice();
  return (
    <div className="page">
      {hasAccount ? <Summary /> : <WithoutAccount />}
      {hasAccount && (
        <>
          <Refused />
          <UnreadableSection />
          <ArchiveSection />
          <Conflicts />
          <SyncLog />
        </>
      )}
      <DatabaseFile />
    </div>
  );
}

/** The summary without an account: nothing is sent, so nothing can be refused. */
function WithoutAccount() {
  return (
    <>
      <header className="page-header">
        <h1>Sync</h1>
      </header>
      <div className="card sync-summary">
        <span className="status-dot status-tone-offline" aria-hidden="true" />
        <p>
          <strong>Your work is on this device only.</strong>
        </p>
        <p className="muted small">
          Sign in, or create an account, to take it along: it is then sent to the server, and you find it on
          your other devices.
        </p>
        <div className="actions">
          <DownloadButton label="Download a copy" />
        </div>
      </div>
    </>
  );
}

function Summary() {
  const device = useDevice();
  const { isDurable } = device;
  const status = useSyncStatus();
  const now = useNow();
  const syncing = useAction(() => device.sync());
  const { headline, detail, tone } = statusText(status, { now, isDurable });
  return (
    <>
      <header className="page-header">
        <div className="page-title">
          <h1>Sync</h1>
          <div className="page-actions">
            <button
              type="button"
              className="button primary"
              disabled={status.kind === 'syncing' || syncing.isRunning}
              onClick={() => void syncing.run()}
            >
              <Icon name="sync" />
              Sync now
            </button>
          </div>
        </div>
      </header>
      <div className="card sync-summary">
        <span className={`status-dot status-tone-${tone}`} aria-hidden="true" />
        <p>
          <strong>{headline}</strong>
          {detail !== null && <span className="muted"> · {detail}</span>}
        </p>
        {status.progress && status.progress.total !== null && (
          <progress max={status.progress.total} value={status.progress.rows} aria-label="Rows fetched" />
        )}
        <p className="muted small">
          {isDurable
            ? 'Everything you do is saved on this device first and sent when the server can be reached.'
            : 'Everything you do is kept in this tab until it is sent, as soon as the server can be reached.'}
        </p>
        <div className="actions">
          <DownloadButton />
        </div>
      </div>
    </>
  );
}

function Refused() {
  const refused = useQuarantine();
  return (
    <section aria-labelledby="refused-title">
      <div className="section-title">
        <h2 id="refused-title">Refused changes</h2>
      </div>
      {refused?.length === 0 ? (
        <EmptyState title="The server has refused nothing.">
          <p>A change it refuses is kept here with the reason, until you retry or discard it.</p>
        </EmptyState>
      ) : (
        <ul className="entries">
          {refused?.map((group) => (
            <li key={group[0]?.groupId}>
              <RefusedGroup group={group} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Conflicts() {
  const conflicts = useConflicts();
  return (
    <section aria-labelledby="conflicts-title">
      <div className="section-title">
        <h2 id="conflicts-title">Conflicts</h2>
      </div>
      {conflicts?.length === 0 ? (
        <EmptyState title="No conflicts on this device.">
          <p>When you and somebody else change the same thing, both values are kept here with the choice.</p>
        </EmptyState>
      ) : (
        <ul className="entries">
          {conflicts?.map((conflict) => (
            <li key={conflict.id}>
              <ConflictEntry conflict={conflict} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

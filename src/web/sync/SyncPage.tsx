import { type ReactNode, useState } from 'react';
import { useDevice } from '../hooks/useDevice';
import { useSyncLog } from '../hooks/useSyncLog';
import { useArchive, useConflicts, useQuarantine } from '../hooks/useSyncRecords';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { DownloadButton } from '../shared/DownloadButton';
import { statusText } from '../status/statusText';
import { EmptyState } from '../ui/EmptyState';
import { Icon } from '../ui/Icon';
import { ShowMore } from '../ui/ShowMore';
import { useAction } from '../ui/useAction';
import { useNow } from '../ui/useNow';
import { ArchivedGroup } from './ArchivedGroup';
import { ConflictEntry } from './ConflictEntry';
import { DatabaseFile } from './DatabaseFile';
import { KeptNote } from './KeptNote';
import { PendingSection } from './PendingSection';
import { RefusedGroup } from './RefusedGroup';
import { SyncLog } from './SyncLog';
import { UnreadableSection } from './UnreadableSection';

/**
 * The sync status; what needs a decision (refused changes, conflicts, archive); what waits to be sent; rows that cannot be
 * shown; the sync log; and the database file.
 */
export function SyncPage() {
  const { hasAccount } = useDevice();
  return (
    <div className="page">
      {hasAccount ? (
        <>
          <Summary />
          <Records />
        </>
      ) : (
        <>
          <WithoutAccount />
          <DatabaseFile />
        </>
      )}
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
        <KeptNote />
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
        <KeptNote />
        <div className="actions">
          <DownloadButton />
        </div>
      </div>
    </>
  );
}

/** All of it at once: what came first would move when the rest comes. */
function Records() {
  const refused = useQuarantine();
  const conflicts = useConflicts();
  const archive = useArchive();
  const log = useSyncLog();
  if (!refused || !conflicts || !archive || !log) return null;
  return (
    <>
      <SetAside refused={refused} conflicts={conflicts} archive={archive} />
      <PendingSection />
      <UnreadableSection />
      <SyncLog log={log} />
      <DatabaseFile />
    </>
  );
}

interface SetAsideProps {
  refused: NonNullable<ReturnType<typeof useQuarantine>>;
  conflicts: NonNullable<ReturnType<typeof useConflicts>>;
  archive: NonNullable<ReturnType<typeof useArchive>>;
}

/** The changes that a person decides about; one note where there are none. */
function SetAside({ refused, conflicts, archive }: SetAsideProps) {
  if (refused.length + conflicts.length + archive.length === 0) {
    return (
      <EmptyState title="Nothing needs a decision of yours.">
        <p>
          A change that the server refuses is kept here with the reason. When you and somebody else change the
          same thing, both values are kept here with the choice.
        </p>
      </EmptyState>
    );
  }
  return (
    <>
      {refused.length > 0 && (
        <Entries
          id="refused"
          title="Refused changes"
          entries={refused}
          keyOf={(group) => group[0]?.groupId}
          show={(group) => <RefusedGroup group={group} />}
        />
      )}
      {conflicts.length > 0 && (
        <Entries
          id="conflicts"
          title="Conflicts"
          entries={conflicts}
          keyOf={({ id }) => id}
          show={(conflict) => <ConflictEntry conflict={conflict} />}
        />
      )}
      {archive.length > 0 && (
        <Entries
          id="archive"
          title="Archive"
          entries={archive}
          keyOf={(group) => group[0]?.id}
          show={(group) => <ArchivedGroup group={group} />}
        />
      )}
    </>
  );
}

/** So many are shown at once: each reads what it is about. */
const PAGE = 20;

interface EntriesProps<Entry> {
  id: string;
  title: string;
  entries: readonly Entry[];
  keyOf: (entry: Entry) => string | undefined;
  show: (entry: Entry) => ReactNode;
}

function Entries<Entry>({ id, title, entries, keyOf, show }: EntriesProps<Entry>) {
  const [most, setMost] = useState(PAGE);
  return (
    <section aria-labelledby={`${id}-title`}>
      <div className="section-title">
        <h2 id={`${id}-title`}>{title}</h2>
      </div>
      <ul className="entries">
        {entries.slice(0, most).map((entry) => (
          <li key={keyOf(entry)}>{show(entry)}</li>
        ))}
      </ul>
      <ShowMore
        noun="entries"
        shown={most}
        all={entries.length > most ? entries.length : null}
        onMore={() => setMost(most + PAGE)}
      />
    </section>
  );
}

import { useState } from 'react';
import type { PendingChange } from '@/lib/watermelon';
import { usePendingChanges } from '../hooks/usePendingChanges';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { RecordName } from '../shared/RecordName';
import { tableNoun } from '../shared/recordText';
import { TimeAgo } from '../ui/TimeAgo';
import { ChangedValues } from './ChangedValues';
import { feedSentence } from './feedSentence';

const PAGE = 10;

const DONE = { insert: 'New', update: 'Changed', delete: 'Deleted' } as const;

/** The changes that wait to be sent, one for each thing that the person did; nothing while there are none. */
export function PendingSection() {
  const [most, setMost] = useState(PAGE);
  const pending = usePendingChanges(most);
  const { pending: records } = useSyncStatus();
  if (!pending || pending.changes.length === 0) return null;
  const { changes, isCut } = pending;
  return (
    <section aria-labelledby="pending-title">
      <div className="section-title">
        <h2 id="pending-title">Waiting to be sent</h2>
      </div>
      {records > changes.length && (
        <p className="muted small">
          {records.toLocaleString('en')} records in all, with what follows from them, such as subtasks and
          entries of the feed.
        </p>
      )}
      <ul className="card sync-log">
        {changes.map((change) => (
          <li key={`${change.table} ${change.id}`}>
            <span className="status-dot status-tone-waiting" aria-hidden="true" />
            <Pending change={change} />
            <p className="muted small">
              <TimeAgo time={change.at} />
            </p>
          </li>
        ))}
      </ul>
      {isCut && (
        <button type="button" className="button" onClick={() => setMost(most + 5 * PAGE)}>
          Show more
        </button>
      )}
    </section>
  );
}

function Pending({ change }: { change: PendingChange }) {
  const { table, id, workspaceId, operation, record, values } = change;
  const sentence = table === 'activity_feed' ? feedSentence(values.activity_type, values.details) : null;
  if (sentence !== null) {
    return (
      <div>
        <p dir="auto">{sentence}</p>
        {typeof record.task_id === 'string' && (
          <p className="small">
            On <RecordName table="tasks" id={record.task_id} />
          </p>
        )}
      </div>
    );
  }
  return (
    <div>
      <p>
        {DONE[operation]} {tableNoun(table)} <RecordName table={table} id={id} known={record} />
      </p>
      {operation === 'update' && <ChangedValues workspaceId={workspaceId} change={change} />}
    </div>
  );
}

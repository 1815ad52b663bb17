import { useMemo, useState } from 'react';
import type { useSyncLog } from '../hooks/useSyncLog';
import { EmptyState } from '../ui/EmptyState';
import { TechnicalDetails } from '../ui/ErrorNote';
import { TimeAgo } from '../ui/TimeAgo';
import { foldRepeated, logText } from './logText';

const PAGE = 10;

/** The sync log: what each sync did, and why one failed. */
export function SyncLog({ log }: { log: NonNullable<ReturnType<typeof useSyncLog>> }) {
  const [limit, setLimit] = useState(PAGE);
  const entries = useMemo(() => foldRepeated(log), [log]);
  return (
    <section aria-labelledby="log-title">
      <div className="section-title">
        <h2 id="log-title">Sync log</h2>
      </div>
      {log.length === 0 && (
        <EmptyState title="The sync log is empty.">
          <p>Syncs that have nothing to send or receive are left out.</p>
        </EmptyState>
      )}
      {log.length > 0 && (
        <ol className="card sync-log">
          {entries.slice(0, limit).map(({ item, times }) => {
            const { tone, headline, done, cost, error, cause } = logText(item);
            return (
              <li key={item.id}>
                <span className={`status-dot status-tone-${tone}`} aria-hidden="true" />
                <p>
                  <strong>{headline}</strong>
                  {done !== null && <>: {done}</>}
                  {times > 1 && <span className="muted">, {times} times in a row</span>}
                  {error !== null && <span className="sync-log-error">{error}</span>}
                </p>
                {cause !== null && <TechnicalDetails text={cause} />}
                <p className="muted small">
                  <TimeAgo time={item.started_at} /> · {cost}
                </p>
              </li>
            );
          })}
        </ol>
      )}
      {entries.length > limit && (
        <button type="button" className="button" onClick={() => setLimit(limit + 5 * PAGE)}>
          Show more
        </button>
      )}
    </section>
  );
}

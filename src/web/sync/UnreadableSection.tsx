import { count } from '@/core/count';
import { JSON_LIMITS } from '@/core/text';
import type { Unreadable } from '@/lib/watermelon';
import { useUnreadable } from '../hooks/useSyncRecords';
import { RecordName } from '../shared/RecordName';
import { tableNoun } from '../shared/recordText';
import { wordsOf } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';

const REASONS: Record<Unreadable['reason'], string> = {
  type: 'is not of the kind that this version of Convoy knows',
  depth: `is nested more than ${JSON_LIMITS.depth} levels deep`,
  count: `holds more than ${JSON_LIMITS.values.toLocaleString('en')} values`,
  number: 'holds a number that is too large',
};

/** More are counted, and not listed. */
const MOST_SHOWN = 20;

/** Rows of the server that this device could not store; nothing while there are none. */
export function UnreadableSection() {
  const rows = useUnreadable();
  if (!rows || rows.length === 0) return null;
  return (
    <section aria-labelledby="unreadable-title">
      <div className="section-title">
        <h2 id="unreadable-title">Not shown on this device</h2>
      </div>
      <article className="card entry">
        <p>
          <strong>{count(rows.length, 'record')} cannot be shown here.</strong> Everything else is in step,
          and nothing is lost on the server. This device asks again when the app is opened, and shows what has
          been changed by then, or what an updated app can show.
        </p>
        <ul className="wanted">
          {rows.slice(0, MOST_SHOWN).map((row) => (
            <li key={`${row.table} ${row.id}`}>
              <p>
                The {tableNoun(row.table)} <RecordName table={row.table} id={row.id} known={{}} /> in{' '}
                <RecordName table="workspaces" id={row.workspaceId} known={{}} />: its {wordsOf(row.column)}{' '}
                {REASONS[row.reason]}.{' '}
                <span className="muted small">
                  <TimeAgo time={row.since} />
                </span>
              </p>
            </li>
          ))}
        </ul>
        {rows.length > MOST_SHOWN && (
          <p className="muted small">And {count(rows.length - MOST_SHOWN, 'more', 'more')}.</p>
        )}
      </article>
    </section>
  );
}

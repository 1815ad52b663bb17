import type { SyncedTable } from '@/domain/schema';
import { CONFLICT_KINDS, type StoredValue } from '@/domain/setAsideText';
import type { Conflict } from '@/lib/watermelon';
import { useDeletions } from '../hooks/useDeletions';
import { useMembers } from '../hooks/useMembers';
import { DiscardConflict } from '../shared/conflicts/DiscardConflict';
import { SettleButtons } from '../shared/conflicts/SettleButtons';
import { StoredText } from '../shared/conflicts/StoredText';
import { RecordName } from '../shared/RecordName';
import { isLongText, ruleText, tableNoun } from '../shared/recordText';
import { TextDifference } from '../shared/TextDifference';
import { wordsOf } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { feedSentence } from './feedSentence';

/** One entry of the conflict ledger: the values of both sides, and the chosen ones. */
export function ConflictEntry({ conflict }: { conflict: Conflict }) {
  const { recordTable: table, columns } = conflict;
  const localOf = (column: string) => columns[column]?.local ?? null;
  const sentence =
    table === 'activity_feed' ? feedSentence(localOf('activity_type'), localOf('details')) : null;
  const remembered = Object.fromEntries(
    Object.entries(columns).map(([column, { chosen, local }]) => [column, chosen ?? local]),
  );
  return (
    <article className="card entry">
      <p>
        <strong>
          <What conflict={conflict} /> {tableNoun(table)}
        </strong>{' '}
        <RecordName table={table} id={conflict.recordId} known={remembered} />{' '}
        <span className="muted small">
          <TimeAgo time={conflict.occurredAt.getTime()} />
          {conflict.state === 'open' && ', open: choose a value'}
        </span>
      </p>
      {sentence === null ? <Columns conflict={conflict} /> : <p>{sentence}</p>}
      {conflict.kind === 'columns' ? (
        <SettleButtons conflict={conflict} />
      ) : (
        <DiscardConflict conflict={conflict} />
      )}
    </article>
  );
}

/** The event, with the name of the person where the device knows it. */
function What({ conflict: { kind, recordId, workspaceId } }: { conflict: Conflict }) {
  const deletions = useDeletions(workspaceId ?? '');
  const { nameOf } = useMembers(workspaceId);
  const deletion = kind === 'gone' && deletions?.find(({ entity_id }) => entity_id === recordId);
  const words = CONFLICT_KINDS[kind];
  return deletion ? words.replace('Somebody', nameOf(deletion.last_modified_by)) : words;
}

interface VersionProps {
  table: SyncedTable;
  column: string;
  before: StoredValue;
  value: StoredValue;
  nameOf: (userId: string | null) => string;
}

/** The value of one side; of a long text, with what it changed marked. */
function Version({ before, value, ...stored }: VersionProps) {
  if (typeof before === 'string' && typeof value === 'string' && isLongText(value)) {
    return <TextDifference before={before} after={value} side="after" />;
  }
  return <StoredText {...stored} value={value} />;
}

function Columns({ conflict: { recordTable: table, columns, workspaceId } }: { conflict: Conflict }) {
  const { nameOf } = useMembers(workspaceId);
  return Object.entries(columns).map(([column, { base, local, remote, chosen, by }]) => (
    <section key={column} className="versions">
      <h3>{wordsOf(column)}</h3>
      <dl>
        <div>
          <dt>Before</dt>
          <dd>
            <StoredText table={table} column={column} value={base} nameOf={nameOf} />
          </dd>
        </div>
        <div>
          <dt>Yours</dt>
          <dd>
            <Version table={table} column={column} before={base} value={local} nameOf={nameOf} />
          </dd>
        </div>
        <div>
          <dt>Theirs</dt>
          <dd>
            <Version table={table} column={column} before={base} value={remote} nameOf={nameOf} />
          </dd>
        </div>
        <div>
          <dt>Chosen</dt>
          <dd>
            <strong>
              <StoredText table={table} column={column} value={chosen} nameOf={nameOf} />
            </strong>
            <span className="rule muted small">{ruleText(by)}</span>
          </dd>
        </div>
      </dl>
    </section>
  ));
}

import type { Conflict } from '@/lib/watermelon';
import { wordsOf } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { RecordName } from './RecordName';
import { tableNoun, valueText } from './values';

const KINDS: Record<Conflict['kind'], string> = {
  columns: 'You and somebody else changed the same',
  gone: 'Somebody deleted it while you edited the',
  deletion: 'You deleted it while somebody edited the',
  withdrawn: 'Your change fell together with another that did not go through, on the',
};

/** One entry of the ledger: what both sides wanted, and what was chosen. */
export function ConflictEntry({ conflict }: { conflict: Conflict }) {
  const { recordTable: table, columns } = conflict;
  const remembered = Object.fromEntries(
    Object.entries(columns).map(([column, { chosen, local }]) => [column, chosen ?? local]),
  );
  return (
    <article className="card entry">
      <p>
        <strong>
          {KINDS[conflict.kind]} {tableNoun(table)}
        </strong>{' '}
        <RecordName table={table} id={conflict.recordId} known={remembered} />{' '}
        <span className="muted small">
          <TimeAgo time={conflict.occurredAt.getTime()} />
          {conflict.state === 'open' && ', still open'}
        </span>
      </p>
      <div className="table-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">Yours</th>
              <th scope="col">Theirs</th>
              <th scope="col">Chosen</th>
              <th scope="col">By the rule</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(columns).map(([column, { base, local, remote, chosen, by }]) => (
              <tr key={column}>
                <th scope="row">{wordsOf(column)}</th>
                <td>{valueText(table, column, base)}</td>
                <td>{valueText(table, column, local)}</td>
                <td>{valueText(table, column, remote)}</td>
                <td>
                  <strong>{valueText(table, column, chosen)}</strong>
                </td>
                <td className="muted">{wordsOf(by)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </article>
  );
}

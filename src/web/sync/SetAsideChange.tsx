import { CHANGE_VERBS, type SetAsideValues, shownColumns } from '@/domain/setAsideText';
import { RecordName } from '../shared/RecordName';
import { tableNoun, valueText } from '../shared/recordText';
import { wordsOf } from '../ui/labels';
import { feedSentence } from './feedSentence';

/** One change of the quarantine or the archive, in words and values. */
export function SetAsideChange(wanted: SetAsideValues & { id: string }) {
  const { table, id, operation, values } = wanted;
  const columns = shownColumns(wanted);
  const { activity_type, details } = values;
  const sentence = table === 'activity_feed' ? feedSentence(activity_type, details) : null;
  if (sentence !== null) return <p className="muted">For the feed: {sentence}</p>;
  return (
    <>
      <p>
        You wanted to {CHANGE_VERBS[operation]} the {tableNoun(table)}{' '}
        <RecordName table={table} id={id} known={values} />
      </p>
      {columns.length > 0 && (
        <dl className="wanted-values">
          {columns.map(({ column, wanted: value, before }) => (
            <div key={column}>
              <dt>{wordsOf(column)}</dt>
              <dd>
                {before !== undefined && <del>{valueText(table, column, before)}</del>}{' '}
                <ins>{valueText(table, column, value)}</ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

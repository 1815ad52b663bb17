import { CHANGE_VERBS, type SetAsideValues } from '@/domain/setAsideText';
import { RecordName } from '../shared/RecordName';
import { tableNoun } from '../shared/recordText';
import { ChangedValues } from './ChangedValues';
import { feedSentence } from './feedSentence';

/** One change of the quarantine or the archive, in words and values. */
export function SetAsideChange({
  id,
  workspaceId,
  ...wanted
}: SetAsideValues & { id: string; workspaceId: string }) {
  const { table, operation, values } = wanted;
  const { activity_type, details } = values;
  const sentence = table === 'activity_feed' ? feedSentence(activity_type, details) : null;
  if (sentence !== null) return <p className="muted">For the feed: {sentence}</p>;
  return (
    <>
      <p>
        You wanted to {CHANGE_VERBS[operation]} the {tableNoun(table)}{' '}
        <RecordName table={table} id={id} known={values} />
      </p>
      <ChangedValues workspaceId={workspaceId} change={wanted} />
    </>
  );
}

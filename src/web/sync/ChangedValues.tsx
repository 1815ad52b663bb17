import { type SetAsideValues, shownColumns } from '@/domain/setAsideText';
import { useMembers } from '../hooks/useMembers';
import { StoredText } from '../shared/conflicts/StoredText';
import { isLongText } from '../shared/recordText';
import { TextDifference } from '../shared/TextDifference';
import { wordsOf } from '../ui/labels';

/** The columns of a change in names and words, with what they were before where that is known. */
export function ChangedValues({ workspaceId, change }: { workspaceId: string; change: SetAsideValues }) {
  const { nameOf } = useMembers(workspaceId);
  const columns = shownColumns(change, true);
  if (columns.length === 0) return null;
  const { table } = change;
  return (
    <dl className="wanted-values">
      {columns.map(({ column, wanted, before }) => (
        <div key={column}>
          <dt>{wordsOf(column)}</dt>
          <dd>
            {before !== undefined && (isLongText(before) || isLongText(wanted)) ? (
              <TextDifference before={String(before ?? '')} after={String(wanted ?? '')} />
            ) : (
              <>
                {before !== undefined && (
                  <del>
                    <StoredText table={table} column={column} value={before} nameOf={nameOf} />
                  </del>
                )}{' '}
                <ins>
                  <StoredText table={table} column={column} value={wanted} nameOf={nameOf} />
                </ins>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

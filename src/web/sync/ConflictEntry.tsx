import { columnsOf } from '@/core/schema';
import type { Conflict, ConflictColumn } from '@/lib/watermelon';
import { updateTask } from '@/lib/watermelon/contextService';
import { useAction } from '../hooks/useAction';
import { usePermissions } from '../hooks/useMembers';
import { useRecord } from '../hooks/useQuery';
import { ErrorNote } from '../ui/ErrorNote';
import { wordsOf } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { feedSentence } from './feedSentence';
import { RecordName } from './RecordName';
import { ruleText, tableNoun, valueText } from './values';

const KINDS: Record<Conflict['kind'], string> = {
  columns: 'You and somebody else changed the same',
  gone: 'Somebody deleted it while you edited the',
  deletion: 'You deleted it while somebody edited the',
  withdrawn: 'Withdrawn together with a change that did not go through: the',
};

/** One entry of the ledger: what both sides wanted, and what was chosen. */
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
          {KINDS[conflict.kind]} {tableNoun(table)}
        </strong>{' '}
        <RecordName table={table} id={conflict.recordId} known={remembered} />{' '}
        <span className="muted small">
          <TimeAgo time={conflict.occurredAt.getTime()} />
          {conflict.state === 'open' && ', waiting for somebody to decide'}
        </span>
      </p>
      {sentence === null ? <Columns conflict={conflict} /> : <p>{sentence}</p>}
    </article>
  );
}

function Columns({
  conflict: { recordTable: table, recordId, workspaceId, kind, columns },
}: {
  conflict: Conflict;
}) {
  return (
    <div className="table-scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">Yours</th>
            <th scope="col">Theirs</th>
            <th scope="col">Chosen</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(columns).map(([column, entry]) => (
            <tr key={column}>
              <th scope="row">{wordsOf(column)}</th>
              <td>{valueText(table, column, entry.base)}</td>
              <td>
                {valueText(table, column, entry.local)}
                {table === 'tasks' && kind === 'columns' && (
                  <UseMine taskId={recordId} workspaceId={workspaceId} column={column} entry={entry} />
                )}
              </td>
              <td>{valueText(table, column, entry.remote)}</td>
              <td>
                <strong>{valueText(table, column, entry.chosen)}</strong>
                <span className="rule muted small">{ruleText(entry.by)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface UseMineProps {
  taskId: string;
  workspaceId: string;
  column: string;
  entry: ConflictColumn;
}

/** Puts one's own text back, as a new edit; offered while the task has another. */
function UseMine({ taskId, workspaceId, column, entry: { local } }: UseMineProps) {
  const task = useRecord('tasks', taskId);
  const { whyNot } = usePermissions(workspaceId);
  const saving = useAction(() => updateTask(taskId, { [column]: local }));
  const kind = columnsOf('tasks')[column]?.kind;
  const isText = (kind === 'text' || kind === 'prose') && column !== 'current_stage';
  const now = task && (task as unknown as Record<string, unknown>)[column];
  if (!task || !isText || now === local || whyNot('tasks', 'update') !== null) return null;
  return (
    <>
      <button
        type="button"
        className="link-button use-mine"
        disabled={saving.isRunning}
        onClick={() => void saving.run()}
      >
        Use yours
      </button>
      <ErrorNote error={saving.error} />
    </>
  );
}

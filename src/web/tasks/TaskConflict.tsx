import { useState } from 'react';
import { sameJson } from '@/domain/changes';
import type { Task } from '@/domain/entities';
import { columnsOf } from '@/domain/schema';
import type { Conflict } from '@/lib/watermelon';
import { useDevice } from '../hooks/useDevice';
import { usePermissions } from '../hooks/usePermissions';
import { useConflicts } from '../hooks/useSyncRecords';
import { StoredText } from '../shared/conflicts/StoredText';
import { TextDifference } from '../shared/TextDifference';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { wordsOf } from '../ui/labels';
import { RoleNote } from '../ui/RoleNote';
import { TimeAgo } from '../ui/TimeAgo';
import { useAction } from '../ui/useAction';
import { conflictFields } from './conflictFields';
import styles from './TaskConflict.module.css';

interface TaskConflictProps {
  task: Task;
  nameOf: (userId: string | null) => string;
}

/** The open conflicts of a task, each with one choice for each field. */
export function TaskConflict({ task, nameOf }: TaskConflictProps) {
  const conflicts = useConflicts();
  const open = (conflicts ?? []).filter(
    ({ kind, state, recordTable, recordId }) =>
      kind === 'columns' && state === 'open' && recordTable === 'tasks' && recordId === task.id,
  );
  return open.map((conflict) => <Banner key={conflict.id} conflict={conflict} nameOf={nameOf} />);
}

type Side = 'mine' | 'theirs';

const AND = new Intl.ListFormat('en');

function Banner({ conflict, nameOf }: { conflict: Conflict; nameOf: TaskConflictProps['nameOf'] }) {
  const device = useDevice();
  const why = usePermissions(conflict.workspaceId).whyNot('tasks', 'update');
  const [sides, setSides] = useState<Readonly<Record<string, Side>>>({});
  const settling = useAction((chosen: Record<string, Side>) =>
    device.settleConflict(conflict.id, { values: {}, sides: chosen }),
  );
  const fields = conflictFields(Object.keys(conflict.columns));
  const choose = (field: string, side: Side) => {
    const chosen = { ...sides, [field]: side };
    setSides(chosen);
    if (fields.every(({ name }) => chosen[name] !== undefined)) void settling.run(chosen);
  };
  const names = AND.format(fields.map(({ name }) => wordsOf(name)));
  return (
    <section className={styles.banner} aria-label="Conflict">
      <p>
        <Icon name="conflict" />
        <span>
          <strong>You and somebody else changed the {names}</strong>{' '}
          <TimeAgo time={conflict.occurredAt.getTime()} />.{' '}
          {fields.length > 1
            ? 'Nothing is changed until you have chosen for each.'
            : 'Until you choose, what is marked stands.'}
        </span>
      </p>
      <RoleNote reasons={[why]} />
      {fields.map(({ name, columns }) => (
        <section key={name} className={styles.field} aria-label={wordsOf(name)}>
          {fields.length > 1 && <h3>{wordsOf(name)}</h3>}
          <div className={styles.sides}>
            {(['mine', 'theirs'] as const).map((side) => (
              <div key={side}>
                <h4>
                  {side === 'mine' ? 'Yours' : 'Theirs'}
                  {standing(conflict, columns) === side && <span className="muted"> stands now</span>}
                </h4>
                {columns.map((column) => (
                  <Value key={column} conflict={conflict} column={column} side={side} nameOf={nameOf} />
                ))}
                <button
                  type="button"
                  className="button"
                  aria-label={`${side === 'mine' ? 'Use yours' : 'Use theirs'}: ${wordsOf(name)}`}
                  aria-pressed={fields.length > 1 ? sides[name] === side : undefined}
                  disabled={why !== null || settling.isRunning}
                  onClick={() => choose(name, side)}
                >
                  {sides[name] === side && <Icon name="check" />}
                  {side === 'mine' ? 'Use yours' : 'Use theirs'}
                </button>
              </div>
            ))}
          </div>
        </section>
      ))}
      <ErrorNote error={settling.error} />
    </section>
  );
}

/** @returns whose values the columns have until the person chooses */
function standing({ columns: all }: Conflict, columns: readonly string[]): Side {
  return columns.every((column) => sameJson(all[column]?.chosen ?? null, all[column]?.local ?? null))
    ? 'mine'
    : 'theirs';
}

interface ValueProps {
  conflict: Conflict;
  column: string;
  side: Side;
  nameOf: TaskConflictProps['nameOf'];
}

function Value({ conflict, column, side, nameOf }: ValueProps) {
  const { local, remote } = conflict.columns[column] ?? { local: null, remote: null };
  const { kind } = columnsOf('tasks')[column] ?? {};
  const isProse = kind === 'prose' || column === 'title';
  if (isProse) {
    return (
      <TextDifference
        before={String(remote ?? '')}
        after={String(local ?? '')}
        side={side === 'mine' ? 'after' : 'before'}
      />
    );
  }
  return (
    <p className={styles.value}>
      <StoredText table="tasks" column={column} value={side === 'mine' ? local : remote} nameOf={nameOf} />
    </p>
  );
}

import { useState } from 'react';
import { ConvoyError } from '@/core/errors';
import type { Activity, Task } from '@/domain/entities';
import { useDevice } from '../hooks/useDevice';
import { usePermissions } from '../hooks/usePermissions';
import { RecordName } from '../shared/RecordName';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { checkpointSentence, type ReversedColumn, reversedColumns, type ShownValue } from './reversalText';

interface ReverseButtonProps {
  activity: Activity;
  task: Task;
  nameOf: (userId: string | null) => string;
}

/** Reverses a settled conflict after showing what that sets; for members who may edit the task. */
export function ReverseButton({ activity, task, nameOf }: ReverseButtonProps) {
  const device = useDevice();
  const { whyNot } = usePermissions(activity.workspace_id);
  const [asked, setAsked] = useState<'values' | { checkpoint: string; confirmed: string[] } | null>(null);
  if (whyNot('tasks', 'update') !== null) return null;
  const columns = reversedColumns(activity.details, nameOf);
  if (columns === null) {
    return (
      <p className="muted small">
        The values were too long for the feed. They can be reversed on the device that settled them.
      </p>
    );
  }

  /** Asks about each checkpoint that the reversal passes, one after the other. */
  const reverse = async (confirmed: string[] = []) => {
    try {
      await device.reverseSettlement(activity.id, confirmed);
    } catch (error) {
      const checkpoint = unconfirmedIn(error);
      if (checkpoint === null) throw error;
      setAsked({ checkpoint, confirmed });
    }
  };
  // Only the dialog that is shown closes itself: the next one may have taken its place.
  const close = (shown: typeof asked) => setAsked((now) => (now === shown ? null : now));

  return (
    <>
      <button type="button" className="link-button small" onClick={() => setAsked('values')}>
        {columns.length === 1 ? 'Use the other value' : 'Use the other values'} …
      </button>
      {asked === 'values' && (
        <ConfirmDialog
          key="values"
          title={columns.length === 1 ? 'Use the other value?' : 'Use the other values?'}
          confirmLabel={columns.length === 1 ? 'Use this value' : 'Use these values'}
          isHarmless
          onConfirm={() => reverse()}
          onClose={() => close('values')}
        >
          <p>The conflict was settled. This replaces what was chosen, for everybody.</p>
          <Values columns={columns} />
        </ConfirmDialog>
      )}
      {asked !== null && typeof asked === 'object' && (
        <ConfirmDialog
          key={asked.checkpoint}
          title="Move the task past a human checkpoint?"
          confirmLabel="Confirm and move"
          onConfirm={() => reverse([...asked.confirmed, asked.checkpoint])}
          onClose={() => close(asked)}
        >
          <p>{checkpointSentence(task.title, columns, asked.checkpoint)} Look at the task, then confirm.</p>
          <Values columns={columns} />
        </ConfirmDialog>
      )}
    </>
  );
}

/** The values that the task has now, and those that it takes instead. */
function Values({ columns }: { columns: ReversedColumn[] }) {
  return (
    <dl className="wanted-values reversal">
      {columns.map(({ column, label, chosen, other }) => (
        <div key={column}>
          <dt>{label}</dt>
          <dd>
            <span className="visually-hidden">from</span>{' '}
            <del>
              <Value value={chosen} />
            </del>{' '}
            <span className="visually-hidden">to</span>{' '}
            <ins>
              <Value value={other} />
            </ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: ShownValue }) {
  return 'text' in value ? value.text : <RecordName table={value.table} id={value.id} known={UNKNOWN} />;
}

const UNKNOWN = { name: 'a record that is not on this device' };

/** @returns the checkpoint that the person has to confirm; null for any other error */
function unconfirmedIn(error: unknown): string | null {
  const isUnconfirmed =
    error instanceof ConvoyError &&
    error.detail.kind === 'rejected' &&
    error.detail.code === 'unconfirmed_checkpoint';
  return isUnconfirmed && error.detail.kind === 'rejected' ? error.detail.column : null;
}

import type { Activity } from '@/domain/entities';
import { useDevice } from '../hooks/useDevice';
import { usePermissions } from '../hooks/usePermissions';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';

/** Reverses a settled conflict; shown to members who may edit the task. */
export function ReverseButton({ activity }: { activity: Activity }) {
  const device = useDevice();
  const { whyNot } = usePermissions(activity.workspace_id);
  const reversing = useAction(() => device.reverseSettlement(activity.id));
  if (whyNot('tasks', 'update') !== null) return null;
  return (
    <>
      <button
        type="button"
        className="link-button small"
        disabled={reversing.isRunning}
        onClick={() => void reversing.run()}
      >
        Use the other value
      </button>
      <ErrorNote error={reversing.error} />
    </>
  );
}

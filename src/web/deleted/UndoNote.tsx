import { useLocation } from 'wouter';
import { useHistoryState } from 'wouter/use-browser-location';
import { restoreDeletion } from '@/lib/watermelon/contextService';
import { routes } from '../routes';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';

/** History state that a screen passes on after a deletion. */
export interface JustDeleted {
  deletionId: string;
  taskId: string;
  title: string;
}

/** Offers to undo the deletion that led to this screen, until the next navigation. */
export function UndoNote() {
  const state = useHistoryState<{ justDeleted?: JustDeleted } | null>();
  const [, navigate] = useLocation();
  const undoing = useAction(async ({ deletionId, taskId }: JustDeleted) => {
    await restoreDeletion(deletionId);
    navigate(routes.task(taskId), { replace: true });
  });
  const deleted = state?.justDeleted;
  if (!deleted) return null;
  return (
    <div className="undo-note" role="status">
      <span>“{deleted.title}” is deleted.</span>
      <button
        type="button"
        className="button"
        disabled={undoing.isRunning}
        onClick={() => void undoing.run(deleted)}
      >
        Undo
      </button>
      <ErrorNote error={undoing.error} />
    </div>
  );
}

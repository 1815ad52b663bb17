import type { ReactNode } from 'react';
import { Dialog } from './Dialog';
import { ErrorNote } from './ErrorNote';
import { useAction } from './useAction';

interface ConfirmDialogProps {
  title: string;
  confirmLabel: string;
  /** Nothing is lost by the action. */
  isHarmless?: boolean;
  children: ReactNode;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before an action that is hard to undo. */
export function ConfirmDialog({
  title,
  confirmLabel,
  isHarmless = false,
  children,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  const confirming = useAction(onConfirm);
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <ErrorNote error={confirming.error} />
      <div className="actions">
        <button
          type="button"
          className={`button ${isHarmless ? 'primary' : 'danger'}`}
          // Not disabled, which would take the focus away: an error is answered by trying again.
          aria-disabled={confirming.isRunning}
          onClick={async () => {
            if (!confirming.isRunning && (await confirming.run())) onClose();
          }}
        >
          {confirmLabel}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

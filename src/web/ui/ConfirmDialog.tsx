import type { ReactNode } from 'react';
import { Dialog } from './Dialog';
import { ErrorNote } from './ErrorNote';
import { useAction } from './useAction';

interface ConfirmDialogProps {
  title: string;
  confirmLabel: string;
  children: ReactNode;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before an action that is hard to undo. */
export function ConfirmDialog({ title, confirmLabel, children, onConfirm, onClose }: ConfirmDialogProps) {
  const confirming = useAction(onConfirm);
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <ErrorNote error={confirming.error} />
      <div className="actions">
        <button
          type="button"
          className="button danger"
          disabled={confirming.isRunning}
          onClick={async () => {
            if (await confirming.run()) onClose();
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

import type { ReactNode } from 'react';
import type { AppError } from '@/core/errors';
import { ConvoyError } from '@/core/errors';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';

/** An acceptance that the next sync sends. */
export function WaitingAcceptance({ onDismiss }: { onDismiss: () => void }) {
  return (
    <>
      <p className="note" role="status">
        <Icon name="sync" />
        <span>
          You join when the server can be reached: your answer is kept on this device and is sent with the
          next sync.
        </span>
      </p>
      <div className="actions">
        <button type="button" className="button" onClick={onDismiss}>
          Do not join
        </button>
      </div>
    </>
  );
}

interface RefusedAcceptanceProps {
  error: AppError;
  onDismiss: () => void;
  /** More buttons. */
  children?: ReactNode;
}

/** An acceptance that the server has refused. */
export function RefusedAcceptance({ error, onDismiss, children }: RefusedAcceptanceProps) {
  return (
    <>
      <ErrorNote error={new ConvoyError(error)} consequence="You have not joined." />
      <div className="actions">
        <button type="button" className="button" onClick={onDismiss}>
          Dismiss
        </button>
        {children}
      </div>
    </>
  );
}

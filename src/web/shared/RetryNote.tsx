import type { ReactNode } from 'react';
import type { ServerData } from '../hooks/useServerData';
import { ErrorNote } from '../ui/ErrorNote';

interface RetryNoteProps {
  /** The answer that the server did not give. */
  data: Pick<ServerData<unknown>, 'error' | 'isAsking' | 'reload'>;
  /** The sentence that says what is missing on the screen for it. */
  consequence: string;
  /** More buttons. */
  children?: ReactNode;
}

/** An error of data that is on the server alone, with a button that asks again; nothing when there is none. */
export function RetryNote({ data: { error, isAsking, reload }, consequence, children }: RetryNoteProps) {
  if (error === null) return null;
  return (
    <div className="retry-note">
      <ErrorNote error={error} consequence={consequence} />
      <div className="actions">
        <button
          type="button"
          className="button"
          aria-disabled={isAsking}
          onClick={() => {
            if (!isAsking) reload();
          }}
        >
          {isAsking ? 'Asking …' : 'Try again'}
        </button>
        {children}
      </div>
    </div>
  );
}

import { useState } from 'react';
import type { Conflict } from '@/lib/watermelon';
import { useDevice } from '../../hooks/useDevice';
import { ConfirmDialog } from '../../ui/ConfirmDialog';

/** Discards an entry of the ledger that the user cannot settle, or does not want to keep. */
export function DiscardConflict({ conflict: { id, kind } }: { conflict: Conflict }) {
  const device = useDevice();
  const [isDiscarding, setDiscarding] = useState(false);
  return (
    <div className="actions">
      <button type="button" className="button quiet-danger" onClick={() => setDiscarding(true)}>
        Discard
      </button>
      {isDiscarding && (
        <ConfirmDialog
          title="Discard these values?"
          confirmLabel="Discard"
          onConfirm={() => device.discardLost(id)}
          onClose={() => setDiscarding(false)}
        >
          <p>
            {kind === 'columns'
              ? 'The record keeps its value. The other values of this conflict are no longer kept on this device.'
              : 'They are kept on this device only, and do not come back if the record is restored.'}
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

import { useState } from 'react';
import { useDevice } from '../hooks/useDevice';
import { ConfirmDialog } from '../ui/ConfirmDialog';

/** Discards an entry of the ledger whose record is gone. */
export function DiscardConflict({ id }: { id: string }) {
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
          <p>They are kept on this device only, and do not come back if the record is restored.</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

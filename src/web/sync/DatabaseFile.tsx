import { type ChangeEvent, useId, useState } from 'react';
import { ConvoyError } from '@/core/errors';
import { useDevice } from '../hooks/useDevice';
import { SaveDatabaseButton } from '../shared/SaveDatabaseButton';
import { ConfirmDialog } from '../ui/ConfirmDialog';

/** Exports the local database as a file, and imports one that was exported here or on another device. */
export function DatabaseFile() {
  const device = useDevice();
  const inputId = useId();
  const [chosen, setChosen] = useState<File | null>(null);
  const [isDone, setDone] = useState(false);
  const importFile = async (file: File) => {
    const imported = await device.importDatabase(new Uint8Array(await file.arrayBuffer()));
    if (!imported.ok) throw new ConvoyError(imported.error);
    setDone(true);
  };
  const choose = ({ target }: ChangeEvent<HTMLInputElement>) => {
    setDone(false);
    setChosen(target.files?.[0] ?? null);
    target.value = '';
  };
  return (
    <section aria-labelledby={`${inputId}-title`}>
      <div className="section-title">
        <h2 id={`${inputId}-title`}>Database file</h2>
      </div>
      <div className="card entry">
        <p className="muted small">
          Everything that is on this device in one SQLite file, unsynced changes included: as a backup, or to
          start another device of yours without downloading it all.
        </p>
        <div className="actions">
          <SaveDatabaseButton />
          <label htmlFor={inputId} className="button file-button">
            Replace from a file…
            <input id={inputId} type="file" className="visually-hidden" onChange={choose} />
          </label>
        </div>
        {isDone && <p role="status">The data on this device was replaced by the file.</p>}
      </div>
      {chosen && (
        <ConfirmDialog
          title="Replace what is on this device?"
          confirmLabel="Replace"
          onConfirm={() => importFile(chosen)}
          onClose={() => setChosen(null)}
        >
          <p>
            Everything here is replaced by what <strong>{chosen.name}</strong> holds. What has changed on the
            server since comes with the next sync.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}

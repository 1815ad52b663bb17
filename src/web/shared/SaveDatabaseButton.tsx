import { ConvoyError } from '@/core/errors';
import { useDevice } from '../hooks/useDevice';
import { ErrorNote } from '../ui/ErrorNote';
import { saveFile } from '../ui/saveFile';
import { useAction } from '../ui/useAction';

/** Downloads the local database as a SQLite file, which can be imported again. */
export function SaveDatabaseButton() {
  const device = useDevice();
  const saving = useAction(async () => {
    const exported = await device.exportDatabase();
    if (!exported.ok) throw new ConvoyError(exported.error);
    const day = new Date().toISOString().slice(0, 10);
    saveFile(`convoy-${day}.sqlite`, exported.value, 'application/vnd.sqlite3');
  });
  return (
    <>
      <button type="button" className="button" disabled={saving.isRunning} onClick={() => void saving.run()}>
        Save the database
      </button>
      <ErrorNote error={saving.error} />
    </>
  );
}

import { ConvoyError } from '@/core/errors';
import { platform } from '../platform';
import { ErrorNote } from '../ui/ErrorNote';
import { saveFile } from '../ui/saveFile';
import { useAction } from '../ui/useAction';
import { loadDataLayer, type User } from './session';

/**
 * Downloads from a database that cannot be opened: the unsynced changes as JSON, for people to read, or the whole
 * file, to be imported again. Shown for storage errors only.
 */
export function SaveUnopenedDatabase({ user, error }: { user: User | null; error: unknown }) {
  const userId = user?.id ?? null;
  const saving = useAction(async () => {
    const { exportUnopened } = await loadDataLayer();
    const saved = JSON.stringify(await exportUnopened(platform, userId), null, 2);
    saveFile(`convoy-unsynced-${today()}.json`, saved, 'application/json');
  });
  const savingAll = useAction(async () => {
    const { exportUnopenedFile } = await loadDataLayer();
    const file = await exportUnopenedFile(platform, userId);
    if (file) saveFile(`convoy-${today()}.sqlite`, file, 'application/vnd.sqlite3');
  });
  if (!(error instanceof ConvoyError) || error.detail.kind !== 'storage') return null;
  // Reading the database takes the same code that could not be loaded.
  if (error.detail.code === 'not_loaded') return null;
  const isRunning = saving.isRunning || savingAll.isRunning;
  return (
    <>
      <button type="button" className="button" disabled={isRunning} onClick={() => void saving.run()}>
        Download what is only here
      </button>
      <button type="button" className="button" disabled={isRunning} onClick={() => void savingAll.run()}>
        Save the database
      </button>
      <ErrorNote error={saving.error ?? savingAll.error} />
    </>
  );
}

const today = () => new Date().toISOString().slice(0, 10);

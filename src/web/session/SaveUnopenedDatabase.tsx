import { ConvoyError } from '@/core/errors';
import { platform } from '../platform';
import { ErrorNote } from '../ui/ErrorNote';
import { saveFile } from '../ui/saveFile';
import { useAction } from '../ui/useAction';
import { loadDefaults, type User } from './session';

/**
 * Saves what is on this device where its database cannot be opened: what is here alone, to be read by people, or
 * all of it, to be brought in again. Nothing where something else failed.
 */
export function SaveUnopenedDatabase({ user, error }: { user: User | null; error: unknown }) {
  const userId = user?.id ?? null;
  const saving = useAction(async () => {
    const { exportUnopened } = await loadDefaults();
    const saved = JSON.stringify(await exportUnopened(platform, userId), null, 2);
    saveFile(`convoy-unsynced-${today()}.json`, saved, 'application/json');
  });
  const savingAll = useAction(async () => {
    const { exportUnopenedFile } = await loadDefaults();
    const file = await exportUnopenedFile(platform, userId);
    if (file) saveFile(`convoy-${today()}.sqlite`, file, 'application/vnd.sqlite3');
  });
  if (!(error instanceof ConvoyError) || error.detail.kind !== 'storage') return null;
  // What would read it is what did not come.
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

/** A worker that finds a damaged database, and ends when its replacement is set up and nothing is salvaged yet. */

import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { noteDamage, takeFiles } from '@/platform/web/store/files';
import { openStore } from '@/platform/web/store/openStore';
import { loadSqlite } from '@/platform/web/store/sqliteWasm';

class PowerCut extends Error {}

globalThis.onmessage = async ({ data }: MessageEvent<{ name: string }>) => {
  const sqlite = await loadSqlite();
  await noteDamage(data.name);
  const files = await takeFiles(sqlite, data.name);
  let opened: string[] = [];
  const failing = {
    ...files,
    open(file: string) {
      // The damaged file is opened once more, to be salvaged, when the replacement is there.
      if (opened.includes(file)) throw new PowerCut();
      opened = [...opened, file];
      return files.open(file);
    },
  };
  const outcome = await openStore(sqlite, failing, { ...LOCAL_DATABASE, name: data.name }, true).then(
    () => 'open',
    (error: unknown) => (error instanceof PowerCut ? 'cut' : String(error)),
  );
  files.letGo();
  globalThis.postMessage({ outcome, opened });
};

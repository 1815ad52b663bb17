/** Convoy's storage of a browser: the platform's adapter under Convoy's database, as the app opens it. */

import { type ConvoyDatabase, openDatabase } from '@/lib/watermelon/database';
import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { SyncClock } from '@/lib/watermelon/sync/state/syncClock';
import { createPlatform } from '@/platform/web';
import { startPage } from './page';

let database: ConvoyDatabase | null = null;
/** Of a page that shows lists while it fills. */
const name = new URL(location.href).searchParams.get('database');

async function open(): Promise<ConvoyDatabase> {
  const adapter = await createPlatform().openAdapter({ name: name ?? 'bench', ...LOCAL_DATABASE });
  if (!adapter.ok) throw new Error(adapter.error.message);
  const opened = await openDatabase({ adapter: adapter.value, clock: new SyncClock() });
  if (!opened.ok) throw new Error(opened.error.message);
  database = opened.value;
  return database;
}

startPage({ open, save: null, close: async () => database?.close() });
if (name !== null)
  void import('./watching').then(({ watchingOf }) => {
    window.benchWatching = watchingOf(open);
  });

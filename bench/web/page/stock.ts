/** Stock WatermelonDB in a browser: its LokiJS adapter as its guide sets it up, on the same tables. */

import * as lokiModule from '@nozbe/watermelondb/adapters/lokijs/index.js';
import { migrations, schema } from '@/lib/watermelon/models';
import { Database, type DatabaseAdapter, Model } from '@/lib/watermelon/models/watermelondb';
import { silenceWatermelon } from '@/platform/watermelonLogger';
import { startPage } from './page';

type LokiAdapter = DatabaseAdapter & {
  readonly _driver: { loki: { saveDatabase(done: (error?: Error) => void): void } };
  readonly initializingPromise: Promise<unknown>;
};
type AdapterClass = new (options: Record<string, unknown>) => LokiAdapter;
const LokiJSAdapter = ((lokiModule.default as { default?: unknown }).default ??
  lokiModule.default) as AdapterClass;

class Task extends Model {
  static override table = 'tasks';
}

let adapter: LokiAdapter | null = null;

/** By itself it saves every 500 ms, and acknowledges before. */
const save = () =>
  new Promise<void>((resolve, reject) => {
    adapter?._driver.loki.saveDatabase((error) => (error ? reject(error) : resolve()));
  });

startPage({
  async open() {
    silenceWatermelon();
    adapter = new LokiJSAdapter({
      dbName: 'stock',
      schema,
      migrations,
      useWebWorker: false,
      useIncrementalIndexedDB: true,
    });
    const database = new Database({ adapter, modelClasses: [Task] });
    await database.localStorage.get('ready');
    return database;
  },
  save,
  close: save,
});

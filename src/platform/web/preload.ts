/** For pages that will open a database: starts the slow steps before the code that opens it is loaded. */

import { hasOpfs, mayHaveOpfs } from './hasOpfs';
import { prepareSpareWorker } from './store/storageWorkers';

export function preloadStorage(): void {
  if (mayHaveOpfs()) prepareSpareWorker();
  void hasOpfs();
}

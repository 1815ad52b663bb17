/** For pages that will open a database: begins what takes long before the code that opens it is there. */

import { hasOpfs } from './hasOpfs';
import { makeSpareWorker } from './store/spareWorker';

export function openAhead(): void {
  makeSpareWorker();
  void hasOpfs();
}

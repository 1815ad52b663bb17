/** Reads that are observed. */

import { Observable } from 'rxjs';
import type { ConvoyDatabase } from '../database';
import { PacedRun } from './pacedRun';

/**
 * Reads now, and again after writes to any of these tables, in pauses.
 * @returns what was read, where it differs from what was read before; ends with the error of reads that go on failing
 */
export function observeRead<T>(
  database: ConvoyDatabase,
  tables: readonly string[],
  read: () => Promise<T>,
): Observable<T> {
  return new Observable((observer) => {
    let shown: string | undefined;
    const tell = (value: T) => {
      const text = JSON.stringify(value);
      if (text === shown) return;
      shown = text;
      observer.next(value);
    };
    const run = new PacedRun(
      database,
      (done) => {
        read().then(
          (value) => {
            tell(value);
            done();
          },
          (error: unknown) => done({ error }),
        );
      },
      (error) => observer.error(error),
    );
    const stop = database.onWrites(tables, (isOwn) => run.request(isOwn));
    run.request();
    return () => {
      run.stop();
      stop();
    };
  });
}

/** Counts the SQLite statements of this process. */

import Sqlite from 'better-sqlite3';

/** @returns how to stop; that returns the text of every statement prepared until then, in order */
export function countStatements(): { stop: () => string[] } {
  const made: string[] = [];
  const { prepare } = Sqlite.prototype;
  Sqlite.prototype.prepare = function (this: Sqlite.Database, source: string) {
    made.push(source);
    return prepare.call(this, source);
  } as typeof prepare;
  return {
    stop: () => {
      Sqlite.prototype.prepare = prepare;
      return made;
    },
  };
}

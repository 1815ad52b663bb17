/**
 * The log of recent batches: which records each wrote, and its request id; stored in the batch's own transaction.
 * Other tabs and processes read foreign writes from it, and a batch that is sent twice is applied once.
 */

import { SqliteFailure, type SqliteHandle, storageError } from './handle';

/** Batches kept in the log. A tab or process that missed more reads everything anew. */
const REMEMBERED = 1_000;
/** Most records of one table that a batch lists by id; of more it logs only the table. */
export const NAMED = 500;

/** By table, ids of the records written that anyone may hold; null: any of them. */
export type Written = Record<string, string[] | null>;

/** The log's table. */
export const CHANGE_LOG = 'convoy_changes';

/** Each log starts at a random number, so that a position in another database's log is not valid in this one. */
export const CHANGE_LOG_SQL = `create table if not exists "convoy_changes"
  ("seq" integer primary key autoincrement, "request" text unique, "written" text not null);
  insert into "sqlite_sequence" ("name", "seq") select 'convoy_changes', abs(random() % ${2 ** 52})
  where not exists (select 1 from "sqlite_sequence" where "name" = 'convoy_changes');`;

export class ChangeLog {
  constructor(private readonly handle: SqliteHandle) {}

  /** @returns the number of the latest batch; 0 for none */
  latest(): number {
    const { rows } = this.handle.select(
      `select "seq" from "sqlite_sequence" where "name" = 'convoy_changes'`,
    );
    return Number(rows[0]?.[0] ?? 0);
  }

  /** @returns the number of the new entry */
  add(written: Written, request: string | null): number {
    this.handle.run('insert into "convoy_changes" ("request", "written") values (?, ?)', [
      [request, JSON.stringify(written)],
    ]);
    const seq = Number(this.handle.select('select last_insert_rowid()').rows[0]?.[0]);
    if (seq % 100 === 0) {
      this.handle.run('delete from "convoy_changes" where "seq" <= ?', [[seq - REMEMBERED]]);
    }
    return seq;
  }

  /** @returns whether the batch of this request was applied */
  has(request: string): boolean {
    return (
      this.handle.select('select 1 from "convoy_changes" where "request" = ?', [request]).rows.length > 0
    );
  }

  /** @returns whether a request without this prefix wrote records after a batch; true too where the log no longer reaches back */
  othersSince(seq: number, prefix: string): boolean {
    if (!this.knows(seq)) return true;
    const { rows } = this.handle.select(
      `select 1 from "convoy_changes" where "seq" > ? and "written" <> '{}'
       and coalesce(substr("request", 1, ?), '') <> ? limit 1`,
      [seq, prefix.length, prefix],
    );
    return rows.length > 0;
  }

  private knows(seq: number): boolean {
    return (
      this.latest() === seq ||
      this.handle.select('select 1 from "convoy_changes" where "seq" = ?', [seq]).rows.length > 0
    );
  }

  /** @returns all writes after a batch, merged; null where the log does not reach back to it */
  since(seq: number): Written | null {
    const { rows } = this.handle.select(
      'select "seq", "written" from "convoy_changes" where "seq" > ? order by "seq"',
      [seq],
    );
    if (rows.length !== this.latest() - seq) return null;
    return merged(rows.map(([, written]) => JSON.parse(String(written)) as Written));
  }
}

function merged(all: Written[]): Written {
  const [first = {}, ...rest] = all;
  if (rest.length === 0) return first;
  const tables = new Map<string, Set<string> | null>();
  for (const written of all) {
    for (const [table, ids] of Object.entries(written)) {
      const known = tables.get(table);
      if (ids === null || known === null) tables.set(table, null);
      else tables.set(table, new Set([...(known ?? []), ...ids]));
    }
  }
  return Object.fromEntries([...tables].map(([table, ids]) => [table, ids && [...ids]]));
}

/** The error of a store whose database has a newer schema than this code. */
export function newerSchema(found: number, known: number): SqliteFailure {
  return new SqliteFailure({
    ...storageError('unavailable'),
    code: 'newer_schema',
    message: `The local database is of version ${found}, this Convoy knows versions up to ${known}. Update Convoy or reload the page; nothing was changed.`,
  });
}

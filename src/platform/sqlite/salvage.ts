/** Copies out of a damaged database the records that exist nowhere else. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SalvageReport, SalvageRules } from '@/core/storage';
import { inTransaction, type Selected, SqliteFailure, type SqliteHandle } from './handle';
import { writeSalvageReport } from './salvageReport';

/** Highest rowid searched where the table's highest rowid cannot be read. */
const MOST_ROWS = 2 ** 22;
/** Failed reads of one table after which the rest of it is given up. */
const MOST_FAILURES = 1_000;

/** Salvages a damaged database into a new one, and stores the report there. */
export function salvageInto(
  damaged: SqliteHandle,
  into: SqliteHandle,
  { schema, salvage: rules }: { schema: AppSchema; salvage?: SalvageRules },
  keptAs: string,
): void {
  writeSalvageReport(into, { ...salvage(damaged, into, schema, rules), keptAs });
}

/**
 * Copies unsynced records, or those that `rules` name for their table, into a new database. Synced records
 * are pulled again from the server.
 * @returns the ids of the saved records by table; `complete` is false where some could not be read
 */
function salvage(
  damaged: SqliteHandle,
  into: SqliteHandle,
  schema: AppSchema,
  rules: SalvageRules = {},
): Omit<SalvageReport, 'keptAs'> {
  const saved: Record<string, string[]> = {};
  let complete = true;
  for (const table of Object.keys(schema.tables)) {
    const rule = rules[table] ?? 'unsynced';
    if (rule === 'none') continue;
    const found = readAll(damaged, table, rule === 'all' ? 'true' : `"_status" <> 'synced'`);
    complete &&= found.complete;
    const ids = found.parts.flatMap((part) => copy(part, into, table));
    if (ids.length > 0) saved[table] = ids;
  }
  return { saved, complete };
}

interface Found {
  parts: Selected[];
  complete: boolean;
}

function readAll(damaged: SqliteHandle, table: string, condition: string): Found {
  const whole = attempt(() => damaged.select(`select * from "${table}" where ${condition}`));
  if (whole) return { parts: [whole], complete: true };
  const found: Found = { parts: [], complete: true };
  const most = attempt(() => damaged.select(`select max(rowid) from "${table}"`));
  let failures = 0;
  // Halves each unreadable range of rowids until only the damaged rows remain.
  const ranges: [number, number][] = [[0, most ? Number(most.rows[0]?.[0] ?? 0) + 1 : MOST_ROWS]];
  const sql = `select * from "${table}" where rowid >= ? and rowid < ? and ${condition}`;
  for (let range = ranges.pop(); range; range = ranges.pop()) {
    const [from, to] = range;
    const read = attempt(() => damaged.select(sql, range));
    if (read) {
      if (read.rows.length > 0) found.parts.push(read);
      continue;
    }
    failures += 1;
    const middle = Math.floor((from + to) / 2);
    if (to - from > 1) ranges.push([from, middle], [middle, to]);
    else found.complete = false;
    if (failures >= MOST_FAILURES) return { ...found, complete: false };
  }
  return found;
}

function copy({ columns, rows }: Selected, into: SqliteHandle, table: string): string[] {
  const names = columns.map((column) => `"${column}"`).join();
  const marks = columns.map(() => '?').join();
  const idAt = columns.indexOf('id');
  inTransaction(into, () => into.run(`insert or ignore into "${table}" (${names}) values (${marks})`, rows));
  return rows.map((row) => String(row[idAt]));
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof SqliteFailure) return null;
    throw error;
  }
}

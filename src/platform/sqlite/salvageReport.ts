/** The report on a salvaged database, stored in its replacement until a user has acknowledged it. */

import type { SalvageReport } from '@/core/storage';
import type { SqliteHandle } from './handle';

const TABLE = 'convoy_salvage';

/** SQL that removes the report. */
export const DROP_SALVAGE_REPORT = `drop table if exists "${TABLE}";`;

/** Stores a report; replaces an earlier one. */
export function writeSalvageReport(handle: SqliteHandle, report: SalvageReport): void {
  handle.exec(`${DROP_SALVAGE_REPORT} create table "${TABLE}" ("report" text not null);`);
  handle.run(`insert into "${TABLE}" ("report") values (?)`, [[JSON.stringify(report)]]);
}

/** @returns null where there is no report, or it was removed */
export function readSalvageReport(handle: SqliteHandle): SalvageReport | null {
  const { rows } = handle.select('select 1 from "sqlite_master" where "name" = ?', [TABLE]);
  if (rows.length === 0) return null;
  const report = handle.select(`select "report" from "${TABLE}"`).rows[0]?.[0];
  return typeof report === 'string' ? (JSON.parse(report) as SalvageReport) : null;
}

/** What was saved of a damaged database stays known in the one that took its place, until somebody has read it. */

import type { SalvageReport } from '@/core/storage';
import type { SqliteHandle } from './handle';

const TABLE = 'convoy_salvage';

/** Statements that forget the report. */
export const FORGET_SALVAGED = `drop table if exists "${TABLE}";`;

/** Puts the report in place of an earlier one. */
export function keepSalvaged(handle: SqliteHandle, report: SalvageReport): void {
  handle.exec(`${FORGET_SALVAGED} create table "${TABLE}" ("report" text not null);`);
  handle.run(`insert into "${TABLE}" ("report") values (?)`, [[JSON.stringify(report)]]);
}

/** @returns null where there is none, or it was forgotten */
export function keptSalvaged(handle: SqliteHandle): SalvageReport | null {
  const { rows } = handle.select('select 1 from "sqlite_master" where "name" = ?', [TABLE]);
  if (rows.length === 0) return null;
  const report = handle.select(`select "report" from "${TABLE}"`).rows[0]?.[0];
  return typeof report === 'string' ? (JSON.parse(report) as SalvageReport) : null;
}

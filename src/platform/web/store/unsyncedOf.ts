import type { SalvageRules, UnsyncedRecords } from '@/core/storage';
import type { SqliteHandle } from '../../sqlite/handle';
import { asObjects } from '../../sqlite/store';

/** @returns the unsynced records of a database of any schema version, or those that `rules` name for their table */
export function unsyncedOf(handle: SqliteHandle, rules: SalvageRules): UnsyncedRecords {
  const tables = handle.select(
    `select "name" from "sqlite_master" where "type" = 'table'
     and exists (select 1 from pragma_table_info("sqlite_master"."name") where "name" = '_status')`,
  );
  const found: UnsyncedRecords = {};
  for (const [name] of tables.rows) {
    const table = String(name);
    // Tables that only newer code knows have no rule: their unsynced records are read.
    const rule = rules[table] ?? 'unsynced';
    if (rule === 'none') continue;
    const condition = rule === 'all' ? 'true' : `"_status" <> 'synced'`;
    const rows = asObjects(handle.select(`select * from "${table}" where ${condition}`));
    if (rows.length > 0) found[table] = rows;
  }
  return found;
}

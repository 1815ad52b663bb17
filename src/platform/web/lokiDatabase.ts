/**
 * Unsynced records that releases up to 70fe62f kept in IndexedDB, by LokiJS, where OPFS was missing. They are read once,
 * without LokiJS: its incremental adapter stored JSON, in chunks of records for each table.
 */

import type { EarlierRecords } from '@/core/platform';
import type { SalvageRules, StoredRow } from '@/core/storage';
import { pageStorage } from './pageStorage';

/** Key in localStorage of the schema version of such a database; it is there as long as the database is. */
const versionKey = (name: string) => `convoy:schema-version:${name}`;
const STORE = 'LokiIncrementalData';
/** Key of a chunk of records: `<table>.chunk.<number>`. */
const CHUNK = /^(.+)\.chunk\.\d+$/;
/** Name of the lock that a tab of such a release holds while it has the database open. */
const lockOf = (name: string) => `convoy:database:${name}`;

interface Chunk {
  key: string;
  value: string;
}

export function hasLokiDatabase(name: string): boolean {
  return pageStorage().getItem(versionKey(name)) !== null;
}

/**
 * @param isShared a tab of an earlier release may have it open now: then it is left for later
 * @returns the unsynced records, or those that `rules` name for their table; null where there is no such database
 */
export async function readLokiDatabase(
  name: string,
  rules: SalvageRules,
  isShared: boolean,
): Promise<EarlierRecords | null> {
  if (!hasLokiDatabase(name)) return null;
  if (!isShared || !('locks' in navigator)) return read(name, rules);
  return navigator.locks.request(lockOf(name), { ifAvailable: true }, (lock) =>
    lock ? read(name, rules) : null,
  );
}

async function read(name: string, rules: SalvageRules): Promise<EarlierRecords | null> {
  const chunks = await chunksOf(name);
  if (chunks === null) {
    pageStorage().removeItem(versionKey(name));
    return null;
  }
  const records: EarlierRecords['records'] = {};
  let version = '';
  for (const { key, value } of chunks) {
    if (key === 'loki') version = (JSON.parse(value) as { idbVersionId?: string }).idbVersionId ?? '';
    const [, table] = CHUNK.exec(key) ?? [];
    if (table === undefined) continue;
    const rule = rules[table] ?? 'unsynced';
    const rows = (JSON.parse(value) as StoredRow[]).filter(
      ({ _status }) =>
        rule === 'all' || (rule === 'unsynced' && _status !== undefined && _status !== 'synced'),
    );
    if (rows.length > 0) records[table] = [...(records[table] ?? []), ...rows];
  }
  return { version, records };
}

/** @returns null where there is no database of that name; none is made then */
function chunksOf(name: string): Promise<Chunk[] | null> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    let isThere = true;
    opening.onupgradeneeded = () => {
      isThere = false;
      opening.transaction?.abort();
    };
    opening.onerror = () => (isThere ? reject(opening.error) : resolve(null));
    opening.onsuccess = () => {
      const database = opening.result;
      if (!database.objectStoreNames.contains(STORE)) {
        database.close();
        resolve(null);
        return;
      }
      const asking = database.transaction(STORE).objectStore(STORE).getAll();
      asking.onsuccess = () => resolve(asking.result as Chunk[]);
      asking.onerror = () => reject(asking.error);
      database.close();
    };
  });
}

/** Rejects where the browser does not remove it. */
export async function removeLokiDatabase(name: string): Promise<void> {
  if (!hasLokiDatabase(name)) return;
  await new Promise<void>((resolve, reject) => {
    const removing = indexedDB.deleteDatabase(name);
    removing.onsuccess = () => resolve();
    removing.onerror = () => reject(removing.error);
  });
  pageStorage().removeItem(versionKey(name));
}

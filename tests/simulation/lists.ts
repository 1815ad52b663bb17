/** The lists that a process shows all its life: what is observed has to be what is stored. */

import type { Device } from '@/lib/watermelon/device/device';
import type { Oracle } from './oracle';
import type { StoredRow } from './storage';
import type { Version } from './versions';

/** Tables, and columns whose values are compared. */
const SHOWN = { projects: ['name', 'overview'], tasks: ['title', 'status', 'current_stage'] } as const;
type Table = keyof typeof SHOWN;

export class Lists {
  private readonly shown = new Map<Table, Record<string, unknown>[]>();
  /** As the application's lists have no records, those of others do: WatermelonDB's own queries. */
  private records: Record<string, unknown>[] = [];

  /** @param isLarge its tasks are not shown: a run of these takes long enough */
  constructor({ observeRecords }: Version, { database }: Device, isLarge: boolean) {
    for (const table of isLarge ? (['projects'] as const) : (['projects', 'tasks'] as const)) {
      observeRecords(database, table).subscribe((records) => {
        this.shown.set(table, records as unknown as Record<string, unknown>[]);
      });
    }
    const columns = [...SHOWN.projects] as never[];
    const query = database.records('projects').query().observeWithColumns(columns);
    query.subscribe((records) => {
      this.records = records.map(({ _raw }) => _raw as unknown as Record<string, unknown>);
    });
  }

  /** P34 @param stored the contents of the disk, when all is quiet */
  check(oracle: Oracle, name: string, stored: ReadonlyMap<string, StoredRow[]>): void {
    for (const [table, shown] of [...this.shown, ['projects', this.records] as const]) {
      const lines = (rows: readonly Record<string, unknown>[]) =>
        rows
          .map((row) => JSON.stringify([row.id, ...SHOWN[table].map((column) => row[column] ?? null)]))
          .sort();
      const kept = lines((stored.get(table) ?? []).filter(({ _status }) => _status !== 'deleted'));
      const seen = new Set(lines(shown));
      const missing = kept.find((line) => !seen.has(line));
      if (missing || kept.length !== seen.size)
        oracle.violate(
          'P34',
          `${name} shows ${seen.size} ${table}, and has ${kept.length}: ${missing ?? 'some are gone'}`,
        );
    }
  }
}

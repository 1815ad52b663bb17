/** The records that an observed query shows. */

import type { Change } from '../models/replica';
import type { Model, Raw, RawValue } from '../models/watermelondb';

const rawOf = (record: Model) => record._raw as unknown as Raw;

export class ShownList<T extends Model> {
  /** By id, the values of the observed columns when they were told last: a record changes in place. */
  private readonly values: Map<string, RawValue[]>;

  constructor(
    public records: readonly T[],
    private readonly columns: readonly string[],
  ) {
    this.values = new Map(records.map((record) => [record.id, this.valuesOf(record)]));
  }

  /** Whether both show the same records, in the same order, with the same values. */
  equals(other: ShownList<T>): boolean {
    return (
      other.records.length === this.records.length &&
      other.records.every((record, n) => record === this.records[n]) &&
      other.records.every(({ id }) => areSame(other.values.get(id), this.values.get(id)))
    );
  }

  /**
   * Takes over changes, in work that does not grow with the list unless records join or leave it.
   * @returns whether anything that it shows has changed
   */
  follow(changes: readonly Change<T>[], matches: (raw: Raw) => boolean): boolean {
    const [joined, left]: [T[], Set<string>] = [[], new Set()];
    let isChanged = false;
    for (const { record, type } of changes) {
      const before = this.values.get(record.id);
      if (type === 'destroyed' || !matches(rawOf(record))) {
        if (this.values.delete(record.id)) left.add(record.id);
        continue;
      }
      const now = this.valuesOf(record);
      if (areSame(before, now)) continue;
      this.values.set(record.id, now);
      isChanged = true;
      if (!before) joined.push(record);
    }
    if (joined.length + left.size > 0) {
      const staying = left.size === 0 ? this.records : this.records.filter(({ id }) => !left.has(id));
      this.records = [...staying, ...joined];
    }
    return isChanged || left.size > 0;
  }

  private valuesOf(record: Model): RawValue[] {
    const raw = rawOf(record);
    return this.columns.map((name) => raw[name] ?? null);
  }
}

function areSame(a: readonly RawValue[] | undefined, b: readonly RawValue[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.every((value, n) => value === b[n]);
}

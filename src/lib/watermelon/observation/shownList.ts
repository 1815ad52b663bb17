/** The records that an observed query shows. */

import type { Change } from '../models/replica';
import type { Model, Raw, RawValue } from '../models/watermelondb';

const rawOf = (record: Model) => record._raw as unknown as Raw;

interface Shown<T> {
  record: T;
  /** Those of the observed columns when they were told last: a record changes in place. */
  values: RawValue[];
}

export class ShownList<T extends Model> {
  private readonly shown: Map<string, Shown<T>>;

  constructor(
    public records: readonly T[],
    private readonly columns: readonly string[],
  ) {
    this.shown = new Map(records.map((record) => [record.id, { record, values: this.valuesOf(record) }]));
  }

  /** Whether both show the same records, in the same order, with the same values. */
  equals(other: ShownList<T>): boolean {
    return (
      other.records.length === this.records.length &&
      other.records.every((record, n) => record === this.records[n]) &&
      other.records.every(({ id }) => areSame(other.shown.get(id)?.values, this.shown.get(id)?.values))
    );
  }

  /**
   * Takes over changes, in work that does not grow with the list unless records join or leave it.
   * @returns whether anything that it shows has changed
   */
  follow(changes: readonly Change<T>[], matches: (raw: Raw) => boolean): boolean {
    const [joined, left]: [T[], Set<string>] = [[], new Set()];
    let [isChanged, isReplaced] = [false, false];
    for (const { record, type } of changes) {
      const before = this.shown.get(record.id);
      if (type === 'destroyed' || !matches(rawOf(record))) {
        if (this.shown.delete(record.id)) left.add(record.id);
        continue;
      }
      const values = this.valuesOf(record);
      if (before?.record === record && areSame(before.values, values)) continue;
      this.shown.set(record.id, { record, values });
      isChanged = true;
      if (!before) joined.push(record);
      // Destroyed and made anew, it is another instance, which all later changes are made to.
      else if (before.record !== record) isReplaced = true;
    }
    if (joined.length + left.size > 0 || isReplaced) {
      const staying = this.records.filter(({ id }) => !left.has(id));
      const shown = [...staying, ...joined].map(({ id }) => this.shown.get(id)?.record);
      this.records = shown.filter((record) => record !== undefined);
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

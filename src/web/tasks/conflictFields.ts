/** The fields of a conflict of a task: columns that merge as one are chosen as one (U6). Pure. */

import { columnsOf } from '@/domain/schema';

export interface ConflictField {
  /** The first of its columns. */
  name: string;
  columns: string[];
}

/** @param columns of a conflict, in the order of the ledger */
export function conflictFields(columns: readonly string[]): ConflictField[] {
  const known = columnsOf('tasks');
  const fields = new Map<string, ConflictField>();
  for (const column of columns) {
    const unit = known[column]?.unit ?? column;
    const field = fields.get(unit);
    if (field) field.columns.push(column);
    else fields.set(unit, { name: column, columns: [column] });
  }
  return [...fields.values()];
}

/** WatermelonDB's batch operations as prepared statements. */

import type { AppSchema, TableSchema } from '@nozbe/watermelondb';
import type { StoredRow } from '@/core/storage';
import type { SqlValue } from './handle';
import type { EncodedBatch } from './store';

export type BatchOperation =
  | ['create' | 'update', string, StoredRow]
  | ['markAsDeleted' | 'destroyPermanently', string, string];

export function encodeBatch(operations: readonly BatchOperation[], schema: AppSchema): EncodedBatch {
  const statements: EncodedBatch['statements'] = [];
  const written: Record<string, string[]> = {};
  let last = '';
  for (const [type, table, given] of operations) {
    const tableSchema = tableOf(schema, table);
    const key = `${type} ${table}`;
    if (key !== last) {
      statements.push({ sql: statementOf(type, tableSchema), argLists: [] });
      last = key;
    }
    const [args, id] = typeof given === 'string' ? [[given], given] : argumentsOf(type, tableSchema, given);
    statements.at(-1)?.argLists.push(args);
    written[table] ??= [];
    written[table].push(id);
  }
  return { statements, written, request: null };
}

const cached = new WeakMap<TableSchema, Map<string, string>>();

function statementOf(type: BatchOperation[0], table: TableSchema): string {
  let ofTable = cached.get(table);
  if (!ofTable) {
    ofTable = new Map();
    cached.set(table, ofTable);
  }
  const known = ofTable.get(type);
  if (known !== undefined) return known;
  const sql = writeStatement(type, table);
  ofTable.set(type, sql);
  return sql;
}

function writeStatement(type: BatchOperation[0], table: TableSchema): string {
  const columns = table.columnArray.map(({ name }) => `"${name}"`);
  switch (type) {
    case 'create': {
      const all = ['"id"', '"_status"', '"_changed"', ...columns];
      return `insert into "${table.name}" (${all.join()}) values (${all.map(() => '?').join()})`;
    }
    case 'update': {
      const all = ['"_status"', '"_changed"', ...columns];
      return `update "${table.name}" set ${all.map((name) => `${name} = ?`).join()} where "id" = ?`;
    }
    case 'markAsDeleted':
      return `update "${table.name}" set "_status" = 'deleted' where "id" = ?`;
    case 'destroyPermanently':
      return `delete from "${table.name}" where "id" = ?`;
  }
}

function argumentsOf(type: BatchOperation[0], table: TableSchema, raw: StoredRow): [SqlValue[], string] {
  const args: SqlValue[] = type === 'create' ? [raw.id] : [];
  args.push(value(raw._status), value(raw._changed));
  for (const { name } of table.columnArray) args.push(value(raw[name]));
  if (type === 'update') args.push(raw.id);
  return [args, raw.id];
}

function value(given: StoredRow[string] | undefined): SqlValue {
  if (given === undefined) return null;
  return typeof given === 'boolean' ? Number(given) : given;
}

export function tableOf(schema: AppSchema, name: string): TableSchema {
  const table = Object.hasOwn(schema.tables, name)
    ? (schema.tables as Record<string, TableSchema>)[name]
    : undefined;
  if (!table) throw new Error(`There is no table ${name} in the local schema.`);
  return table;
}

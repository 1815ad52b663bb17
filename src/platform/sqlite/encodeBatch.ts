/** WatermelonDB's batch operations as prepared statements. */

import type { AppSchema, TableSchema } from '@nozbe/watermelondb';
import type { BulkRows, RecordStatement, StoredRow } from '@/core/storage';
import type { SqlValue } from './handle';
import type { EncodedBatch } from './store';

export type BatchOperation =
  /** An update may bring the stored record: then only columns that differ are written. */
  | ['create' | 'update', string, StoredRow, before?: StoredRow | null]
  | ['markAsDeleted' | 'destroyPermanently', string, string]
  | ['fill', string, BulkRows]
  | ['run', string, RecordStatement];
type RecordOperation = Exclude<BatchOperation[0], 'fill' | 'run'>;

export function encodeBatch(operations: readonly BatchOperation[], schema: AppSchema): EncodedBatch {
  const statements: EncodedBatch['statements'] = [];
  const written: Record<string, string[]> = {};
  let last = '';
  for (const operation of operations) {
    const [type, table, given, before = null] = operation;
    const tableSchema = tableOf(schema, table);
    written[table] ??= [];
    if (type === 'fill') {
      statements.push({ sql: fillStatement(table, given), argLists: given.rows });
      for (const [id] of given.rows) written[table].push(id as string);
      last = '';
      continue;
    }
    if (type === 'run') {
      statements.push({ sql: given.sql, argLists: [[...given.args]] });
      for (const id of given.ids) written[table].push(id);
      last = '';
      continue;
    }
    if (before !== null && typeof given !== 'string') {
      last = addDifference(statements, last, tableSchema, given, before);
      written[table].push(given.id);
      continue;
    }
    const key = `${type} ${table}`;
    if (key !== last) {
      statements.push({ sql: statementOf(type, tableSchema), argLists: [] });
      last = key;
    }
    const [args, id] = typeof given === 'string' ? [[given], given] : argumentsOf(type, tableSchema, given);
    statements.at(-1)?.argLists.push(args);
    written[table].push(id);
  }
  return { statements, written, request: null };
}

/**
 * Updates only the columns that changed: writing a column also writes its indexes.
 * @param last key of the statement that was added last
 * @returns the key of this one
 */
function addDifference(
  statements: EncodedBatch['statements'],
  last: string,
  table: TableSchema,
  raw: StoredRow,
  before: StoredRow,
): string {
  const changed = columnsOf(table).filter(
    (name) => raw[name] !== before[name] && value(raw[name]) !== value(before[name]),
  );
  if (changed.length === 0) return last;
  const key = `set ${changed.join()} of ${table.name}`;
  if (key !== last) {
    const set = changed.map((name) => `"${name}" = ?`);
    statements.push({ sql: `update "${table.name}" set ${set.join()} where "id" = ?`, argLists: [] });
  }
  statements.at(-1)?.argLists.push([...changed.map((name) => value(raw[name])), raw.id]);
  return key;
}

const columnNames = new WeakMap<TableSchema, string[]>();

function columnsOf(table: TableSchema): readonly string[] {
  let names = columnNames.get(table);
  if (!names) {
    names = ['_status', '_changed', ...table.columnArray.map(({ name }) => name)];
    columnNames.set(table, names);
  }
  return names;
}

/** Values that all rows share are literals in the statement, so they are not bound for each row. */
function fillStatement(table: string, { columns, same }: BulkRows): string {
  const constant = Object.keys(same);
  const names = [...columns, ...constant].map((name) => `"${name}"`);
  const values = [...columns.map(() => '?'), ...constant.map((name) => literal(same[name] ?? null))];
  const set = names.slice(1).map((name) => `${name} = excluded.${name}`);
  return `insert into "${table}" (${names.join()}) values (${values.join()}) on conflict ("id") do update set ${set.join()}`;
}

function literal(value: SqlValue): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}

const cached = new WeakMap<TableSchema, Map<string, string>>();

function statementOf(type: RecordOperation, table: TableSchema): string {
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

function writeStatement(type: RecordOperation, table: TableSchema): string {
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

function argumentsOf(type: RecordOperation, table: TableSchema, raw: StoredRow): [SqlValue[], string] {
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

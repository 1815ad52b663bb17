/** Reads local records as the entities of the Context Service. */

import type { Json } from '@/core/protocol';
import { compareText } from '@/core/text';
import type { Activity } from '@/domain/entities';
import { COMMON_COLUMNS, columnsOf, type SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../database';
import type { ConvoyModel } from '../models';
import { Q, type Raw, type RawValue } from '../models/watermelondb';

type Clause = ReturnType<typeof Q.where | typeof Q.or | typeof Q.sortBy | typeof Q.take>;

/** Common columns that entities have; `revision` is for the sync engine alone. */
const SHOWN = Object.keys(COMMON_COLUMNS).filter((name) => name !== 'revision');
const ALL = new Map<SyncedTable, [string, string][]>();

function shownColumns(table: SyncedTable): [name: string, kind: string][] {
  let columns = ALL.get(table);
  if (!columns) {
    columns = Object.entries({ ...columnsOf(table), ...COMMON_COLUMNS })
      .filter(([name]) => !(name in COMMON_COLUMNS) || SHOWN.includes(name))
      .map(([name, { kind }]) => [name, kind]);
    ALL.set(table, columns);
  }
  return columns;
}

/** @returns the plain object of a stored record. */
export function toEntity<T>(table: SyncedTable, raw: Raw): T {
  const entity: Record<string, Json> = { id: raw.id, workspace_id: raw.workspace_id as string };
  for (const [name, kind] of shownColumns(table)) entity[name] = shown(kind, raw[name] ?? null);
  return entity as T;
}

/**
 * @param others further expressions, which come after the columns that `rowToEntity` reads
 * @returns SQL that selects rows for `rowToEntity`, without records marked as deleted
 */
export function selectEntities(table: SyncedTable, where: string, order = '', ...others: string[]): string {
  const columns = ['id', 'workspace_id', ...shownColumns(table).map(([name]) => name)];
  return `select ${[...columns.map((name) => `"${name}"`), ...others].join()} from "${table}" where ${where} and "_status" <> 'deleted' ${order}`;
}

/** @returns where the columns that hold JSON are in a row of `selectEntities` */
export function jsonColumns(table: SyncedTable): number[] {
  return shownColumns(table).flatMap(([, kind], index) => (kind === 'json' ? [index + 2] : []));
}

/** @param row as `selectEntities` selects it */
export function rowToEntity<T>(table: SyncedTable, row: readonly RawValue[]): T {
  const entity: Record<string, Json> = { id: row[0] as string, workspace_id: row[1] as string };
  let index = 2;
  for (const [name, kind] of shownColumns(table)) {
    entity[name] = shown(kind, row[index] ?? null);
    index += 1;
  }
  return entity as T;
}

/** @returns the columns of an entity, but for some, and what makes one of a row of their values */
export function entityReader<T>(table: SyncedTable, without: readonly string[]) {
  const columns = [['id', 'ref'], ['workspace_id', 'ref'], ...shownColumns(table)] as [string, string][];
  const read = columns.filter(([name]) => !without.includes(name));
  return {
    columns: read.map(([name]) => name),
    toEntity(row: readonly RawValue[]): T {
      const entity: Record<string, Json> = {};
      for (let n = 0; n < read.length; n += 1) {
        const [name, kind] = read[n] as [string, string];
        entity[name] = shown(kind, row[n] ?? null);
      }
      return entity as T;
    },
  };
}

/** Times that were shown, as text: to write one takes ten times as long as to look it up, and contexts share most of theirs. */
const TIMES = new Map<number, string>();
const MOST_TIMES = 5_000;

function timeText(at: number): string {
  const known = TIMES.get(at);
  if (known !== undefined) return known;
  if (TIMES.size >= MOST_TIMES) TIMES.clear();
  const text = new Date(at).toISOString();
  TIMES.set(at, text);
  return text;
}

function shown(kind: string, value: RawValue): Json {
  if (value === null) return null;
  if (kind === 'time') return timeText(value as number);
  return kind === 'json' ? (JSON.parse(value as string) as Json) : value;
}

/** The local records, as models and as entities; without those marked as deleted, and those that are being purged. */
export class LocalStore {
  constructor(
    readonly database: ConvoyDatabase,
    /** @returns the local id of a record, given its local or its remote id. */
    readonly resolve: (id: string) => string,
  ) {}

  async record(table: SyncedTable, id: string): Promise<ConvoyModel | null> {
    const [record] = await this.database
      .records(table)
      .query(Q.where('id', this.resolve(id)))
      .fetch();
    return record && !this.isLeaving(record.raw.workspace_id) ? record : null;
  }

  /** @returns whether the record was deleted on this device; the server may not have that deletion yet. */
  async isDeleted(table: SyncedTable, id: string): Promise<boolean> {
    const [found = []] = await this.database.readAll([
      { sql: `select 1 from "${table}" where "id" = ? and "_status" = 'deleted'`, args: [this.resolve(id)] },
    ]);
    return found.length > 0;
  }

  async find<T>(table: SyncedTable, id: string | null): Promise<T | null> {
    if (id === null) return null;
    const [found = []] = await this.database.readAll([
      { sql: selectEntities(table, '"id" = ?'), args: [this.resolve(id)] },
    ]);
    return found[0] && !this.isLeaving(found[0][1]) ? rowToEntity<T>(table, found[0]) : null;
  }

  /** @returns the entries of these kinds in a task's feed, in the order in which the server took them, unsynced ones last. */
  async entries(taskId: string, types: readonly string[]): Promise<Activity[]> {
    const where = `"task_id" = ? and "activity_type" in (select "value" from json_each(?))`;
    const order = `order by "_status" = 'created', "revision", "created_at", "id"`;
    const args = [this.resolve(taskId), JSON.stringify(types)];
    const [found = []] = await this.database.readAll([
      { sql: selectEntities('activity_feed', where, order), args },
    ]);
    return found
      .filter((row) => !this.isLeaving(row[1]))
      .map((row) => rowToEntity<Activity>('activity_feed', row));
  }

  async query<T>(table: SyncedTable, ...clauses: Clause[]): Promise<T[]> {
    const records = await this.database
      .records(table)
      .query(...clauses)
      .fetch();
    const shown = records.filter(({ raw }) => !this.isLeaving(raw.workspace_id));
    return shown.map(({ raw }) => toEntity<T>(table, raw));
  }

  /** Whether a record is one of those that are still to be purged of a workspace that the user has lost (P12). */
  isLeaving(workspaceId: RawValue | undefined): boolean {
    return this.database.isLeaving(workspaceId);
  }
}

/** Ids are in ASCII, so that their order is the same whatever compares them. */
const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

export function byName<T extends { name: string; id: string }>(items: T[]): T[] {
  return items.sort((a, b) => compareText(a.name, b.name) || compare(a.id, b.id));
}

export function byDisplayName<T extends { display_name: string; id: string }>(items: T[]): T[] {
  return items.sort((a, b) => compareText(a.display_name, b.display_name) || compare(a.id, b.id));
}

export function bySortOrder<T extends { sort_order: number; id: string }>(items: T[]): T[] {
  return items.sort((a, b) => compare(a.sort_order, b.sort_order) || compare(a.id, b.id));
}

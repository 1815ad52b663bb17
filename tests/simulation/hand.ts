/** A person's hand on a device, while one operation of the simulation runs. */

import type { SyncedTable } from '@/domain/schema';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import type { ConvoyModel } from '@/lib/watermelon/models';
import { Q } from '@/lib/watermelon/models/watermelondb';
import type { Life } from './device';
import type { Operation, Oracle } from './oracle';
import type { Random } from './random';

/** One operation while it runs. */
export class Hand {
  constructor(
    readonly life: Life,
    readonly random: Random,
    readonly operation: Operation,
    readonly oracle: Oracle,
    /** Occurs nowhere else. */
    readonly token: string,
    /** Whether no other process, nor a sync, writes to the database of this device. */
    readonly isAlone: () => boolean = () => true,
  ) {}

  get service() {
    return this.life.device.contextService;
  }

  get database() {
    return this.life.device.database;
  }

  private query(table: SyncedTable) {
    return this.database.records(table).query(Q.where('workspace_id', Q.notEq(GLOBAL_SCOPE_ID)));
  }

  async all(table: SyncedTable): Promise<ConvoyModel[]> {
    return (await this.query(table).fetch()).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** @returns a record that is here. @throws NothingToDo */
  async some(table: SyncedTable): Promise<ConvoyModel> {
    // Of all ids, and not of all records: there may be tens of thousands.
    const ids = (await this.query(table).fetchIds()).sort();
    if (ids.length === 0) throw new NothingToDo();
    const record = await this.database.findRecord(table, this.random.pick(ids));
    if (!record) throw new NothingToDo();
    return record;
  }

  /** Notes the values about to be overwritten, as the writer sees them. */
  overwrite(table: SyncedTable, record: ConvoyModel, column: string, wrote = this.token): void {
    const saw = String(record.raw[column] ?? '');
    this.operation.writes.push({ table, id: record.id, column, value: this.token, wrote, saw });
  }

  /** A value of the operation that has to be found in the end, wherever. */
  put(table: SyncedTable): void {
    const { token } = this;
    this.operation.writes.push({ table, id: '', column: '', value: token, wrote: token, saw: '' });
  }
}

/** Nothing here that the operation could be done to. */
export class NothingToDo extends Error {}

export type Do = (hand: Hand) => Promise<unknown>;
export type Operations = Record<string, readonly [weight: number, work: Do]>;

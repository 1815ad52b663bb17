import type { SyncedTable } from '@/domain/schema';
import { RecoverableModel } from '../recoverableModel';
import { date, json, type Raw, type RawValue, text } from '../watermelondb';

/** How one column of a conflict was settled. */
export interface ConflictColumn {
  base: RawValue;
  local: RawValue;
  remote: RawValue;
  chosen: RawValue;
  /** The policy that settled it, `person`, `approval` or `restored`; `open` until a person settles it. */
  by: string;
}

/** An entry of the conflict ledger: the values of both sides, and which were chosen (D6). */
export class Conflict extends RecoverableModel {
  static override table = 'sync_conflicts';

  /**
   * `columns`: both sides edited; `gone`: others deleted the edited record; `deleted`: the record had unsynced edits
   * when it was deleted here; `deletion`: others edited the record deleted here; `withdrawn`: lost with its group.
   */
  @text('kind') kind!: 'columns' | 'gone' | 'deleted' | 'deletion' | 'withdrawn';
  @text('state') state!: 'open' | 'settled';
  @text('record_table') recordTable!: SyncedTable;
  @text('record_id') recordId!: string;
  @text('workspace_id') workspaceId!: string;
  @json('columns', (stored: unknown) => stored ?? {}) columns!: Record<string, ConflictColumn>;
  /** The record with its lost edits, to be reapplied when it comes back (rule D13); null once they are. */
  @json('lost', (stored: unknown) => stored ?? null) lost!: Raw | null;
  @text('device_id') deviceId!: string;
  /** Server time, by the clock offset of then; of entries of earlier versions, device time (D57). */
  @date('occurred_at') occurredAt!: Date;
}

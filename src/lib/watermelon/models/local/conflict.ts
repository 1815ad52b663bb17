import type { SyncedTable } from '@/domain/schema';
import { RecoverableModel } from '../recoverableModel';
import { date, json, type Raw, type RawValue, text } from '../watermelondb';

/** How one column of a conflict was decided. */
export interface ConflictColumn {
  base: RawValue;
  local: RawValue;
  remote: RawValue;
  chosen: RawValue;
  /** The policy that chose; `open` while a person has to. */
  by: string;
}

/** An entry of the ledger: what two sides wanted, and what was chosen. */
export class Conflict extends RecoverableModel {
  static override table = 'sync_conflicts';

  /**
   * `columns` both sides edited; `gone` the record was deleted under the edit; `deleted` it was unsynced when
   * it was deleted here; `deletion` edited under the deletion; `withdrawn` lost with its group.
   */
  @text('kind') kind!: 'columns' | 'gone' | 'deleted' | 'deletion' | 'withdrawn';
  @text('state') state!: 'open' | 'settled';
  @text('record_table') recordTable!: SyncedTable;
  @text('record_id') recordId!: string;
  @text('workspace_id') workspaceId!: string;
  @json('columns', (stored: unknown) => stored ?? {}) columns!: Record<string, ConflictColumn>;
  /** The record with the edits it lost, to make them again when it comes back (rule D13); null once that is done. */
  @json('lost', (stored: unknown) => stored ?? null) lost!: Raw | null;
  @text('device_id') deviceId!: string;
  @date('occurred_at') occurredAt!: Date;
}

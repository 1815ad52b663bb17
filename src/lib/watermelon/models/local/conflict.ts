import type { SyncedTable } from '@/core/schema';
import { RecoverableModel } from '../recoverableModel';
import { date, json, type RawValue, text } from '../watermelondb';

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

  /** `columns` both sides edited; `gone` the record was deleted under the edit; `deletion` edited under the deletion; `withdrawn` lost with its group. */
  @text('kind') kind!: 'columns' | 'gone' | 'deletion' | 'withdrawn';
  @text('state') state!: 'open' | 'settled';
  @text('record_table') recordTable!: SyncedTable;
  @text('record_id') recordId!: string;
  @text('workspace_id') workspaceId!: string;
  @json('columns', (stored: unknown) => stored ?? {}) columns!: Record<string, ConflictColumn>;
  @text('device_id') deviceId!: string;
  @date('occurred_at') occurredAt!: Date;
}

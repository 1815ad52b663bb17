import type { PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import { RecoverableModel } from '../recoverableModel';
import { date, json, type Raw, text } from '../watermelondb';

/** What a refused change wanted, in local values: enough to make it again. */
export interface WantedChange {
  /** insert: the whole record. update: the changed columns. delete: nothing. */
  values: Partial<Raw>;
  /** update: the columns as they were when last in step with the server. delete: `seen`, the revision it was made on. */
  base: Partial<Raw>;
}

/** A change the server refused, set aside until someone retries or discards it. */
export class Quarantined extends RecoverableModel {
  static override table = 'sync_quarantine';

  @text('record_table') recordTable!: SyncedTable;
  @text('record_id') recordId!: string;
  @text('workspace_id') workspaceId!: string;
  @text('operation') operation!: PushChange['op'];
  @json('change', (stored: unknown) => stored ?? {}) change!: WantedChange;
  /** The server's `RejectionCode`, or `blocked`. */
  @text('code') code!: string;
  @text('column_name') column!: string | null;
  @text('message') message!: string;
  /** Changes refused together are retried and discarded together. */
  @text('group_id') groupId!: string;
  @date('occurred_at') occurredAt!: Date;
}

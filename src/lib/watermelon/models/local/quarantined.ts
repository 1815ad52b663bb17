import type { PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import { RecoverableModel } from '../recoverableModel';
import { date, json, type Raw, text } from '../watermelondb';

/** A refused change in stored values: all that is needed to retry it. */
export interface WantedChange {
  /** insert: the whole record. update: the edited columns. delete: nothing. */
  values: Partial<Raw>;
  /** update: the columns when last in step with the server. delete: `seen`, the revision that it was based on. */
  base: Partial<Raw>;
}

/** An entry of the quarantine: a refused change, until it is retried or discarded (D7). */
export class Quarantined extends RecoverableModel {
  static override table = 'sync_quarantine';

  @text('record_table') recordTable!: SyncedTable;
  @text('record_id') recordId!: string;
  @text('workspace_id') workspaceId!: string;
  @text('operation') operation!: PushChange['op'];
  @json('change', (stored: unknown) => stored ?? {}) change!: WantedChange;
  /** The server's `RejectionCode`, `blocked`, `uncertain`, or the code of an error that refused the whole batch. */
  @text('code') code!: string;
  @text('column_name') column!: string | null;
  @text('message') message!: string;
  /** Changes refused together are retried and discarded together. */
  @text('group_id') groupId!: string;
  @date('occurred_at') occurredAt!: Date;
}

import type { PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import { RecoverableModel } from '../recoverableModel';
import { date, json, type Raw, text } from '../watermelondb';

/** An entry of the archive: values of a record that had to leave the device (P12, P13, D21). */
export class Archived extends RecoverableModel {
  static override table = 'sync_archive';

  @text('record_table') recordTable!: SyncedTable;
  @text('record_id') recordId!: string;
  @text('workspace_id') workspaceId!: string;
  @text('reason') reason!: 'access_lost' | 'history_changed' | 'taken_along';
  @text('operation') operation!: PushChange['op'];
  @json('values', (stored: unknown) => stored ?? {}) values!: Partial<Raw>;
  @date('occurred_at') occurredAt!: Date;
}

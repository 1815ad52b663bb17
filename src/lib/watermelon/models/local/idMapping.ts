import type { SyncedTable } from '@/domain/schema';
import { RecoverableModel } from '../recoverableModel';
import { text } from '../watermelondb';

/** A record whose local id is not its remote id. */
export class IdMapping extends RecoverableModel {
  static override table = 'sync_id_mappings';

  @text('record_table') recordTable!: SyncedTable;
  @text('local_id') localId!: string;
  @text('remote_id') remoteId!: string;
}

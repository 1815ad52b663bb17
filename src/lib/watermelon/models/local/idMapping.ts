import type { SyncedTable } from '@/core/schema';
import { Model, text } from '../watermelondb';

/** A record whose id here is not its id there. */
export class IdMapping extends Model {
  static override table = 'sync_id_mappings';

  @text('record_table') recordTable!: SyncedTable;
  @text('local_id') localId!: string;
  @text('remote_id') remoteId!: string;
}

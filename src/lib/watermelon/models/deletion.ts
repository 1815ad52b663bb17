import type { RestorableTable } from '@/domain/schema';
import { ConvoyModel } from './convoyModel';
import { date, field, text } from './watermelondb';

/** A deletion that the server knows, to be restored by setting `restoredAt`. Its other columns are the server's. */
export class Deletion extends ConvoyModel {
  static override table = 'deletions';

  @text('entity_type') entityType!: RestorableTable;
  @text('entity_id') entityId!: string;
  @text('name') name!: string;
  @field('parts') parts!: number;
  @date('restored_at') restoredAt!: Date | null;
}

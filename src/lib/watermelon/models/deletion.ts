import type { RestorableTable } from '@/domain/schema';
import { ConvoyModel } from './convoyModel';
import { date, field, text } from './watermelondb';

/** A deletion that the server has. Setting `restoredAt` restores it; its other columns are set by the server (U23, U24). */
export class Deletion extends ConvoyModel {
  static override table = 'deletions';

  @text('entity_type') entityType!: RestorableTable;
  @text('entity_id') entityId!: string;
  @text('name') name!: string;
  @field('parts') parts!: number;
  @date('restored_at') restoredAt!: Date | null;
}

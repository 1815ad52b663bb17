import type { PushRequest } from '@/core/protocol';
import { RecoverableModel } from '../recoverableModel';
import { field, json } from '../watermelondb';

/** The batch in flight, exactly as it is sent, until its answer is applied. At most one (U1). */
export class OutboxBatch extends RecoverableModel {
  static override table = 'sync_outbox';

  @field('batch') batchNumber!: number;
  @json('request', (stored: unknown) => stored) request!: PushRequest;
}

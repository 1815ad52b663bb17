import { RecoverableModel } from '../recoverableModel';
import { date, field, json, text } from '../watermelondb';

/** An entry of the sync log (D27). */
export class SyncLogEntry extends RecoverableModel {
  static override table = 'sync_log';

  @date('started_at') startedAt!: Date;
  @field('duration_ms') durationMs!: number;
  @text('status') status!: 'ok' | 'partial' | 'offline' | 'error' | 'signed_out';
  @field('pushed') pushed!: number;
  @field('pulled') pulled!: number;
  @field('conflicts') conflicts!: number;
  @field('rejected') rejected!: number;
  @field('sent_bytes') sentBytes!: number;
  @field('received_bytes') receivedBytes!: number;
  @json('error', (stored: unknown) => stored ?? null) error!: {
    kind: string;
    code: string;
    message?: string;
  } | null;
}

import { RecoverableModel } from '../recoverableModel';
import { json } from '../watermelondb';

/** What the device knows of itself; the record with the id `device`. */
export interface DeviceFacts {
  deviceId: string;
  /** Number of the next batch. */
  nextBatch: number;
  /** Server clock minus device clock, ms. */
  clockOffset: number;
  lastSyncedAt: number | null;
  /** The schema version that the records here have the columns of; 1 where nothing is said. */
  schema?: number;
  /** How far the run of pages is that has not come to its end, in rows. */
  run?: { rows: number; total: number | null };
  /** Workspaces that the server had lost and that are created there again, until it has answered. */
  remade?: string[];
}

/** Facts by name. Beside `device`: work being taken along (see `accounts/takeAlong.ts`). */
export class DeviceState extends RecoverableModel {
  static override table = 'sync_state';

  @json('value', (stored: unknown) => stored) value!: unknown;
}

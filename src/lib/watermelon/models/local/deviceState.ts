import { RecoverableModel } from '../recoverableModel';
import { json } from '../watermelondb';

/** What the device knows of itself; one record, id `device`. */
export interface DeviceFacts {
  deviceId: string;
  /** Number of the next batch. */
  nextBatch: number;
  /** Server clock minus device clock, ms. */
  clockOffset: number;
  lastSyncedAt: number | null;
}

export class DeviceState extends RecoverableModel {
  static override table = 'sync_state';

  @json('value', (stored: unknown) => stored) value!: DeviceFacts;
}

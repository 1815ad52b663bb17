import { RecoverableModel } from '../recoverableModel';
import { json } from '../watermelondb';

/** How often a change was sent alone and not answered in time. */
export interface LateChange {
  tries: number;
  /** Of these, how often the server itself gave up. */
  refused: number;
}

/** The device's own state: the record with the id `device`. */
export interface DeviceFacts {
  deviceId: string;
  /** Number of the next batch. */
  nextBatch: number;
  /** The clock offset, server minus device, ms. */
  clockOffset: number;
  /** Device time of the last sync that went well, ms. */
  lastSyncedAt: number | null;
  /** The schema version that the records here were upgraded to; 1 where it is missing. */
  schema?: number;
  /** How far an unfinished run of pages is, in rows (D30). */
  run?: { rows: number; total: number | null };
  /** Changes that the server did not answer in time though they were sent alone, by remote id of their record (U43). */
  late?: Record<string, LateChange>;
  /** By remote id, the workspaces that are lost, while records of them are still to be purged or recreated (P12, P19). */
  leaving?: Record<string, 'access_lost' | 'forgotten' | 'recreated'>;
  /** The last row of the ledger that may have a time of the device's clock, and since when later ones have the server's, ms (D57). */
  ledger?: { after: number; since: number };
  /** Remote ids of workspaces being recreated on the server, until it has answered (P19). */
  remade?: string[];
}

/** Facts by name: `device`, and those of taking work along (`accounts/takeAlong.ts`). */
export class DeviceState extends RecoverableModel {
  static override table = 'sync_state';

  @json('value', (stored: unknown) => stored) value!: unknown;
}

import type { SyncTransport } from '@/core/protocol';
import type { ConvoyDatabase } from '../../database';
import type { IdMappings } from '../idMapping';
import type { Policies } from '../merge/policies';
import type { DeviceStore } from './deviceStore';
import type { SyncClock } from './syncClock';

/** Everything one sync works with. */
export interface SyncContext {
  database: ConvoyDatabase;
  /**
   * `database.write`, as long as nobody else has written what the session holds.
   * Rejects with a `ConvoyError` (storage, `overtaken`) where somebody has.
   */
  write<T>(work: () => Promise<T>, description: string): Promise<T>;
  transport: SyncTransport;
  userId: string;
  store: DeviceStore;
  ids: IdMappings;
  clock: SyncClock;
  policies: Policies;
  /** Rows asked for in one page of a pull. */
  pageRows: number;
}

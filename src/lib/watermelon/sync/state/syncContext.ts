/** Everything that one sync works with. */

import type { SyncTransport } from '@/core/protocol';
import type { ConvoyDatabase } from '../../database';
import type { IdMappings } from '../idMapping';
import type { Policies } from '../merge/policies';
import type { DeviceStore } from './deviceStore';
import type { GroupBounds } from './groupBounds';
import type { Pace } from './pace';
import type { SyncClock } from './syncClock';

export interface SyncContext {
  database: ConvoyDatabase;
  /**
   * As `database.write`, but rejects with a `ConvoyError` (storage, `overtaken`) where a foreign write has changed
   * what this context holds (D33).
   */
  write<T>(work: () => Promise<T>, description: string): Promise<T>;
  transport: SyncTransport;
  userId: string;
  store: DeviceStore;
  ids: IdMappings;
  clock: SyncClock;
  policies: Policies;
  pace: Pace;
  groupBounds: GroupBounds;
  /** Aborted once the device was told to stop: long work ends then (D32). */
  signal: AbortSignal;
}

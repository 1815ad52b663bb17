import type { Json, PushAnswer } from '@/core/protocol';
import type { ConvoyDatabase } from '../../database';
import type { IdMappings } from '../idMapping';
import type { SyncSession } from '../state/syncContext';
import type { Draft } from './unitOfWork';

/** What the steps of applying an answer share. */
export interface Applying {
  database: ConvoyDatabase;
  draft: Draft;
  ids: IdMappings;
  deviceId: string;
  /** Whose database it is. */
  userId: string;
  /** Device time, ms. */
  now: number;
  /** Workspaces whose columns are not all here yet: the schema version each was filled with. */
  filledWith?: ReadonlyMap<string, number>;
  /** Workspaces whose history has just turned out to be another one: revisions of before mean nothing in it. */
  otherHistory?: ReadonlySet<string>;
}

/** What the outcomes of a push are applied with. */
export interface Settling extends Applying {
  session: SyncSession;
  answer: PushAnswer;
  /** Rows among the effects, by remote id. */
  rows: Map<string, Record<string, Json>>;
  /** Local ids of what the server deleted along with others. */
  cascaded: ReadonlySet<string>;
}

import type { Json, PushAnswer } from '@/core/protocol';
import type { Applying } from '../records/applyContext';
import type { SyncSession } from '../state/syncContext';

/** What the outcomes of a push are applied with. */
export interface Settling extends Applying {
  session: SyncSession;
  answer: PushAnswer;
  /** Rows among the effects, by remote id. */
  rows: Map<string, Record<string, Json>>;
  /** Local ids of what the server deleted along with others. */
  cascaded: ReadonlySet<string>;
}

import type { Json, PushAnswer } from '@/core/protocol';
import type { ApplyContext } from '../records/applyContext';
import type { SyncContext } from '../state/syncContext';

/** What the outcomes of a push are applied with. */
export interface PushContext extends ApplyContext {
  sync: SyncContext;
  answer: PushAnswer;
  /** Rows among the effects, by remote id. */
  rows: Map<string, Record<string, Json>>;
  /** Local ids of what the server deleted along with others. */
  cascaded: ReadonlySet<string>;
}

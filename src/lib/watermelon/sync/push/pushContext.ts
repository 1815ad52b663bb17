import type { Json, Page, PushAnswer } from '@/core/protocol';
import type { ApplyContext } from '../records/applyContext';
import type { SyncedBatch } from '../records/codec';
import type { UnreadableRow } from '../records/readable';
import type { Refusal } from '../setAside/quarantine';
import type { SyncContext } from '../state/syncContext';

/** The context that the steps of applying a push answer share. */
export interface PushContext extends ApplyContext {
  sync: SyncContext;
  /** The batch that was in flight. */
  batch: SyncedBatch;
  answer: PushAnswer;
  /** Place of each change in the batch, by remote id of its record. */
  indexOf: ReadonlyMap<string, number>;
  /** The effects, without the rows that this device cannot store. */
  readable: Page;
  /** Its rows, by remote id. */
  rows: ReadonlyMap<string, Record<string, Json>>;
  /** Rows among the effects that this device cannot store, by remote id (P33). */
  unreadable: ReadonlyMap<string, UnreadableRow>;
  /** Local ids of what the server deleted along with others. */
  cascaded: ReadonlySet<string>;
  /** Filled while the outcomes are applied. */
  lost: LostConflicts;
  /** Filled while the outcomes are applied: by local id of the task. */
  lostMoves: Map<string, LostMove>;
  /** Remote ids of workspaces that turn out to be lost: all that is here of them is purged after this answer (P19). */
  left: Set<string>;
  /** Remote ids of workspaces that have records of the batch which are not here: their rows come with the next pull. */
  missing: Set<string>;
  /** Counted while the outcomes are applied. */
  applied: AppliedPush;
}

/** The effects of applying the answer to one batch. */
export interface AppliedPush {
  /** Changes. */
  pushed: number;
  conflicts: number;
  rejected: number;
  /** Something has to be pushed again, after the next pull. */
  unsettled: boolean;
  /** The server did not try some changes, since others blocked them: the rest of the push waits too. */
  held: boolean;
}

/** The move of a task that came to nothing, though the action that made it moved others too. */
export interface LostMove {
  action: string;
  /** Why it was set aside; null: it lost a conflict. */
  refusal: Refusal | null;
}

/** Local ids of records whose changes lost a conflict. */
export interface LostConflicts {
  /** Every column that was sent. */
  changes: Set<string>;
  /** A task's stage. */
  stages: Set<string>;
  /** A task's milestone and parent task. */
  moves: Set<string>;
}

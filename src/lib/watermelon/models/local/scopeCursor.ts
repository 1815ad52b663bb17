import type { Cursor, Refill } from '@/core/protocol';
import type { ScopeRole } from '@/domain/vocabulary';
import { RecoverableModel } from '../recoverableModel';
import { field, json, text } from '../watermelondb';

/** A refill under way: columns and tables of a newer schema version are pulled for a scope (P14). */
export interface PendingRefill extends Omit<Refill, 'tables'> {
  /** The schema version that the data of the scope had before. */
  since: number;
}

/** The cursor of one scope; the record's id is the scope's remote id. */
export class ScopeCursor extends RecoverableModel {
  static override table = 'sync_cursors';

  @field('revision') revision!: number;
  @text('tag') tag!: string;
  @json('paging', (stored: unknown) => stored ?? null) paging!:
    | (Pick<Cursor, 'target' | 'after' | 'whole' | 'own'> & {
        resync?: boolean;
        /** Of a resync: its step, unless it is being paged. */
        step?: 'marking' | 'sweeping';
        refill?: PendingRefill;
      })
    | null;
  @text('role') role!: ScopeRole;
  /** Revisions that this device made itself above its cursor, and already has (P7). */
  @json('skip', (stored: unknown) => (Array.isArray(stored) ? stored : [])) skip!: number[];
}

import type { Cursor, Refill } from '@/core/protocol';
import type { ScopeRole } from '@/domain/vocabulary';
import { RecoverableModel } from '../recoverableModel';
import { field, json, text } from '../watermelondb';

/** What a newer schema version brought, on its way to a scope that was filled with an older one. */
export interface PendingRefill extends Omit<Refill, 'tables'> {
  /** The schema version that the scope was filled with. */
  since: number;
}

/** Where this device stands in one scope; the record's id is the scope's. */
export class ScopeCursor extends RecoverableModel {
  static override table = 'sync_cursors';

  @field('revision') revision!: number;
  @text('tag') tag!: string;
  @json('paging', (stored: unknown) => stored ?? null) paging!:
    | (Pick<Cursor, 'target' | 'after' | 'whole' | 'own'> & { resync?: boolean; refill?: PendingRefill })
    | null;
  @text('role') role!: ScopeRole;
  /** Own revisions above the cursor, whose effects are already here. */
  @json('skip', (stored: unknown) => (Array.isArray(stored) ? stored : [])) skip!: number[];
}

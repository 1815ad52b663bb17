/** Loads the SyncContext of a database, and loads it again after foreign writes to its tables (rule D33). */

import { ConvoyError } from '@/core/errors';
import type { SyncTransport } from '@/core/protocol';
import type { ConvoyDatabase } from '../../database';
import { DeviceState, IdMapping, OutboxBatch, ScopeCursor } from '../../models';
import { IdMappings } from '../idMapping';
import type { Policies } from '../merge/policies';
import { DeviceStore, readStanding } from './deviceStore';
import { GROUP_BOUNDS, type GroupBounds } from './groupBounds';
import { Pace } from './pace';
import { upgradeRecords } from './schemaUpgrade';
import type { SyncClock } from './syncClock';
import type { SyncContext } from './syncContext';

/** Most rows in a page, unless said otherwise. */
const PAGE_ROWS = 2_000;

/** Tables whose content a SyncContext keeps in memory. */
const HELD_TABLES: ReadonlySet<string> = new Set([
  ScopeCursor.table,
  DeviceState.table,
  OutboxBatch.table,
  IdMapping.table,
] as unknown[] as string[]);

const OVERTAKEN = {
  kind: 'storage',
  code: 'overtaken',
  message: 'Another tab or program has synced meanwhile.',
} as const;

/** @returns whether a write was refused because a foreign write had changed what the context holds. */
export function isOvertaken(thrown: unknown): boolean {
  return thrown instanceof ConvoyError && thrown.code === OVERTAKEN.code;
}

export interface ContextOptions {
  database: ConvoyDatabase;
  /** null: this database belongs to no account yet. */
  transport: SyncTransport | null;
  userId: string;
  clock: SyncClock;
  policies: Policies;
  /** Most rows asked for in one page of a pull. */
  pageRows?: number;
  /** Time that one page or batch is to take on its way, ms; a slow connection carries smaller ones (D55). Default: 10,000. */
  transferMs?: number;
  /** The bounds of one group of changes (D35). Default: `GROUP_BOUNDS`. */
  groupBounds?: GroupBounds;
}

/** Holds the current SyncContext of one database. */
export class ContextLoader {
  private context: SyncContext | null = null;
  /** A foreign write has changed what `context` holds. */
  private isStale = false;
  private loading: Promise<SyncContext> | null = null;
  /** Shared with the Context Service, so it outlives the context. */
  private ids: IdMappings | null = null;
  /** The pace of the connection has nothing to do with what is stored, so it outlives the context too. */
  private readonly pace: Pace;

  /**
   * @param signal aborted once the syncs of these contexts are to end
   * @param onLoaded called with each context that was loaded
   */
  constructor(
    private readonly options: ContextOptions,
    private readonly signal: AbortSignal,
    private readonly onLoaded: (context: SyncContext) => void,
  ) {
    const { database } = options;
    this.pace = new Pace(options.pageRows ?? PAGE_ROWS, options.transferMs);
    database.standing.readBy(() => readStanding(database));
  }

  /** The context that was loaded last, possibly stale; null before the first, and after a failure. */
  get latest(): SyncContext | null {
    return this.context;
  }

  /**
   * @returns the current context, loaded first where there is none or it is stale. While one is being
   * loaded, every caller waits for that one. Rejects where the storage fails.
   */
  async open(): Promise<SyncContext> {
    if (!this.loading && this.context && !this.isStale) return this.context;
    this.loading ??= this.load().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  /** The next `open` loads again. */
  markStale(): void {
    this.isStale = true;
  }

  /** Drops the context after a failure: what it holds in memory may be ahead of the storage. */
  discard(): void {
    this.context = null;
  }

  /** @returns whether a foreign write to these tables has made the context stale. */
  noticeForeignWrites(tables: readonly string[]): boolean {
    if (!tables.some((table) => HELD_TABLES.has(table))) return false;
    this.markStale();
    return true;
  }

  private async load(): Promise<SyncContext> {
    let context: SyncContext;
    do {
      this.isStale = false;
      try {
        context = await this.loadOnce();
      } catch (thrown) {
        this.isStale = true;
        throw thrown;
      }
      // A foreign write during the load may have come after its table was read.
    } while (this.isStale);
    return context;
  }

  private async loadOnce(): Promise<SyncContext> {
    const { database, clock } = this.options;
    const ids = await IdMappings.load(database, this.ids ?? undefined);
    this.ids = ids;
    const store = await DeviceStore.load(database, ids, this.context?.store.askedAgain);
    await upgradeRecords(database, store);
    if (!this.context) clock.restore(store.facts.clockOffset);
    this.context = this.makeContext(store, ids);
    this.onLoaded(this.context);
    return this.context;
  }

  private makeContext(store: DeviceStore, ids: IdMappings): SyncContext {
    const { database, transport, userId, clock, policies } = this.options;
    const context: SyncContext = {
      database,
      write: (work, description) =>
        database.write(async () => {
          if (this.context !== context || this.isStale) throw new ConvoyError(OVERTAKEN);
          return work();
        }, description),
      transport: transport ?? { pull: refuse, push: refuse, settle: refuse, step: refuse },
      userId,
      store,
      ids,
      clock,
      policies,
      pace: this.pace,
      groupBounds: this.options.groupBounds ?? GROUP_BOUNDS,
      signal: this.signal,
    };
    return context;
  }
}

async function refuse(): Promise<never> {
  throw new Error('A database without an account has no server to sync with.');
}

/** Polls the heads of scopes whose topics cannot be joined, so that the other scopes need no polling (K7). */

import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import type { ConvoyClient } from './client';
import { callRpc } from './rpc';

/** Revisions by scope, of those that the user may see. */
export type Heads = ReadonlyMap<string, number>;

/** Asks for the heads of these scopes; null: of all. A failure says how long the server wants to be left alone, ms. */
export type AskHeads = (
  scopes: readonly string[] | null,
  signal: AbortSignal,
) => Promise<Result<Heads, { retryAfterMs: number }>>;

export interface HeadPollOptions {
  /** Between polls, ms: the first wait doubles with each poll that finds nothing new, up to the longest (K8). */
  pollMs?: number;
  pollMostMs?: number;
  random?: () => number;
}

/** Stands for all scopes of the user, and those that are still to come: the user's own topic tells of them. */
export const ALL_SCOPES = null;
type Covered = string | typeof ALL_SCOPES;

export class HeadPolls {
  /** Scopes that no topic tells of at the moment. */
  private readonly missing = new Set<Covered>();
  /** Scopes that a topic tells of again: asked for once more, since something may have happened before. */
  private readonly rejoined = new Set<Covered>();
  /** By scope what the latest answer had of it; null: the user may not see it. */
  private readonly told = new Map<string, number | null>();
  /** Polls in a row that found nothing new. */
  private quiet = 0;
  private isRunning = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = new AbortController();

  /**
   * @param onHead called for each scope that is new in an answer, or has changed; null: it is not in the answer
   * @param watched the scopes that the device holds
   */
  constructor(
    private readonly ask: AskHeads,
    private readonly onHead: (scope: string, head: number | null) => void,
    private readonly watched: () => Iterable<string>,
    private readonly options: HeadPollOptions,
  ) {}

  /** Polls while pokes flow: otherwise whole syncs do, and the one that ends the gap brings everything. */
  run(isRunning: boolean): void {
    if (this.isRunning === isRunning) return;
    this.isRunning = isRunning;
    this.rejoined.clear();
    this.quiet = 0;
    if (!isRunning) this.abort();
    this.schedule();
  }

  miss(covered: Covered): void {
    if (this.missing.has(covered)) return;
    this.missing.add(covered);
    this.rejoined.delete(covered);
    this.quiet = 0;
    this.schedule();
  }

  /** A topic tells of it again. */
  regain(covered: Covered): void {
    if (!this.missing.delete(covered)) return;
    if (this.isRunning) this.rejoined.add(covered);
    this.schedule(0);
  }

  forget(covered: Covered): void {
    this.missing.delete(covered);
    this.rejoined.delete(covered);
    if (covered !== ALL_SCOPES) this.told.delete(covered);
  }

  close(): void {
    this.run(false);
  }

  private abort(): void {
    clearTimeout(this.timer);
    this.asking.abort();
    this.asking = new AbortController();
  }

  private get isNeeded(): boolean {
    return this.isRunning && this.missing.size + this.rejoined.size > 0;
  }

  private schedule(ms = this.waitMs()): void {
    clearTimeout(this.timer);
    if (this.isNeeded) this.timer = setTimeout(() => void this.poll(), ms);
  }

  private waitMs(): number {
    const { pollMs = 25_000, pollMostMs = 480_000, random = Math.random } = this.options;
    return Math.min(pollMostMs, pollMs * 2 ** Math.min(this.quiet, 20)) * (0.9 + 0.2 * random());
  }

  private async poll(): Promise<void> {
    const { signal } = this.asking;
    const asked = new Set([...this.missing, ...this.rejoined]);
    const scopes = asked.has(ALL_SCOPES) ? null : [...asked].filter((covered) => covered !== null);
    const answered = await this.ask(scopes, signal);
    if (signal.aborted) return;
    if (!answered.ok) {
      this.quiet += 1;
      this.schedule(Math.max(answered.error.retryAfterMs, this.waitMs()));
      return;
    }
    for (const covered of asked) this.rejoined.delete(covered);
    const hasNews = this.tell(
      scopes ?? [...new Set([...this.watched(), ...answered.value.keys()])],
      answered.value,
    );
    this.quiet = hasNews ? 0 : this.quiet + 1;
    this.schedule();
  }

  /** @returns whether the answer has something that the one before had not */
  private tell(scopes: readonly string[], heads: Heads): boolean {
    const news = scopes.filter((scope) => this.told.get(scope) !== (heads.get(scope) ?? null));
    for (const scope of news) {
      const head = heads.get(scope) ?? null;
      this.told.set(scope, head);
      this.onHead(scope, head);
    }
    return news.length > 0;
  }
}

/** How long one request may take, ms. */
const TIMEOUT_MS = 30_000;

/** @returns what asks a Convoy server for heads, by its function `sync_heads`. */
export function askServer(client: ConvoyClient, userId: string): AskHeads {
  return async (scopes, signal) => {
    const request = { protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, user_id: userId };
    const called = await callRpc(
      client,
      'sync_heads',
      { request: scopes ? { ...request, scopes: [...scopes] } : request },
      { timeoutMs: TIMEOUT_MS, signal },
    );
    if (!called.ok) {
      const { error } = called;
      return fail({ retryAfterMs: ('retryAfterMs' in error && error.retryAfterMs) || 0 });
    }
    const heads = readHeads(called.value.data, userId);
    return heads ? ok(heads) : fail({ retryAfterMs: 0 });
  };
}

/** @returns the heads of an answer for this user; null for anything else */
function readHeads(data: unknown, userId: string): Heads | null {
  if (typeof data !== 'object' || data === null || !('heads' in data) || !('user_id' in data)) return null;
  const { heads, user_id } = data;
  if (user_id !== userId || typeof heads !== 'object' || heads === null) return null;
  const entries = Object.entries(heads);
  return entries.every(([, head]) => typeof head === 'number') ? new Map(entries) : null;
}

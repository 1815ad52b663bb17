/**
 * Invitations that the user has accepted on this device. Accepting needs the server; without it, the acceptance is
 * stored and sent at the next sync (U31).
 */

import { BehaviorSubject, type Observable } from 'rxjs';
import { type AppError, reactionTo } from '@/core/errors';
import type { InvitationPort } from '@/core/invitations';
import type { ConvoyDatabase } from '../database';

/**
 * An acceptance: `waiting` for the server, `refused` by it until the user dismisses it, or `accepted`, as long as no
 * device is opened on the database anew, so that the pages that wait for it learn of it.
 */
export type Acceptance =
  | { id: string; state: 'waiting' }
  | { id: string; state: 'refused'; error: AppError }
  | { id: string; state: 'accepted'; workspaceId: string };

const isAccepted = ({ state }: Acceptance) => state === 'accepted';

export type AcceptResult =
  | { state: 'accepted'; workspaceId: string }
  | { state: 'waiting' }
  | { state: 'refused'; error: AppError };

const KEY = 'accepted_invitations';

/** @returns the acceptances that a database holds. Rejects where the storage fails. */
export async function storedAcceptances(database: ConvoyDatabase): Promise<readonly Acceptance[]> {
  return (await database.localStorage.get<readonly Acceptance[]>(KEY)) ?? [];
}

export class Acceptances {
  private readonly shown = new BehaviorSubject<readonly Acceptance[]>([]);

  constructor(
    private readonly database: ConvoyDatabase,
    private readonly port: InvitationPort | null,
    private readonly userId: string,
  ) {}

  /** Reads what is stored, and forgets what was accepted. Rejects where the storage fails. */
  async load(): Promise<void> {
    const stored = await this.stored();
    if (stored.some(isAccepted)) await this.change((all) => all.filter((one) => !isAccepted(one)));
    else this.shown.next(stored);
  }

  observe(): Observable<readonly Acceptance[]> {
    return this.shown.asObservable();
  }

  /** Stores an acceptance before anything is sent. Rejects with a `ConvoyError` (storage). */
  async add(id: string): Promise<void> {
    await this.change((all) => [...all.filter((one) => one.id !== id), { id, state: 'waiting' }]);
  }

  async remove(id: string): Promise<void> {
    await this.change((all) => all.filter((one) => one.id !== id));
  }

  /**
   * Sends what waits. A request that does not get through leaves its acceptance waiting.
   * @returns what became of each that was answered
   */
  async send(signal: AbortSignal): Promise<Map<string, AcceptResult>> {
    const results = new Map<string, AcceptResult>();
    if (this.port === null) return results;
    const stored = await this.stored();
    // Another tab or process may have sent or dismissed some.
    if (JSON.stringify(stored) !== JSON.stringify(this.shown.value)) this.shown.next(stored);
    for (const { id, state } of stored) {
      if (state !== 'waiting') continue;
      const answered = await this.port.accept(id, this.userId, signal);
      if (answered.ok) {
        const { workspaceId } = answered.value;
        results.set(id, { state: 'accepted', workspaceId });
        await this.settle({ id, state: 'accepted', workspaceId });
      } else if (answered.error.kind === 'rejected') {
        const { error } = answered;
        results.set(id, { state: 'refused', error });
        await this.settle({ id, state: 'refused', error });
      } else if (['retry', 'wait', 'sign_in'].includes(reactionTo(answered.error))) return results;
      // Anything else says nothing about this invitation: it waits, and the next one is tried.
    }
    return results;
  }

  /** Stores what became of an acceptance, unless the user has taken it back meanwhile. */
  private settle(settled: Acceptance): Promise<void> {
    return this.change((all) => all.map((one) => (one.id === settled.id ? settled : one)));
  }

  private async change(edit: (all: readonly Acceptance[]) => readonly Acceptance[]): Promise<void> {
    const changed = await this.database.write(async () => {
      const all = edit(await this.stored());
      await this.database.localStorage.set(KEY, all);
      return all;
    }, 'invitations');
    this.shown.next(changed);
  }

  private stored(): Promise<readonly Acceptance[]> {
    return storedAcceptances(this.database);
  }
}

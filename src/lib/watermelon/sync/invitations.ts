/**
 * Invitations that the user has accepted on this device. Accepting needs the server; without it, the acceptance is
 * stored and sent at the next sync (U31).
 */

import { BehaviorSubject, type Observable } from 'rxjs';
import { type AppError, reactionTo } from '@/core/errors';
import type { InvitationPort } from '@/core/invitations';
import type { ConvoyDatabase } from '../database';

/** An acceptance: `waiting` for the server, or `refused` by it until the user dismisses it. */
export type Acceptance = { id: string; state: 'waiting' } | { id: string; state: 'refused'; error: AppError };

export type AcceptResult =
  | { state: 'accepted'; workspaceId: string }
  | { state: 'waiting' }
  | { state: 'refused'; error: AppError };

const KEY = 'accepted_invitations';

export class Acceptances {
  private readonly shown = new BehaviorSubject<readonly Acceptance[]>([]);

  constructor(
    private readonly database: ConvoyDatabase,
    private readonly port: InvitationPort | null,
  ) {}

  /** Reads what is stored. Rejects where the storage fails. */
  async load(): Promise<void> {
    this.shown.next(await this.stored());
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
      const answered = await this.port.accept(id, signal);
      if (answered.ok) {
        results.set(id, { state: 'accepted', workspaceId: answered.value.workspaceId });
        await this.remove(id);
      } else if (!['retry', 'wait', 'sign_in'].includes(reactionTo(answered.error))) {
        const { error } = answered;
        results.set(id, { state: 'refused', error });
        await this.change((all) => all.map((one) => (one.id === id ? { id, state: 'refused', error } : one)));
      } else return results;
    }
    return results;
  }

  private async change(edit: (all: readonly Acceptance[]) => readonly Acceptance[]): Promise<void> {
    const changed = await this.database.write(async () => {
      const all = edit(await this.stored());
      await this.database.localStorage.set(KEY, all);
      return all;
    }, 'invitations');
    this.shown.next(changed);
  }

  private async stored(): Promise<readonly Acceptance[]> {
    const stored = await this.database.localStorage.get<readonly Acceptance[]>(KEY);
    return stored ?? [];
  }
}

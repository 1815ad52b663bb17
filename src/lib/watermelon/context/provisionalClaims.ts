/**
 * Claims that were made without the server (C10). Agents of one machine settle them among themselves, in one small file of the data
 * folder; where there is none, in a browser, those who share the local database do. Each sync turns them into claims
 * of the server, or tells that somebody else has the task.
 */

import { BehaviorSubject, defer, type Observable, switchMap } from 'rxjs';
import type { MachineClaim, MachineClaims } from '@/core/platform';
import type { ConvoyDatabase } from '../database';

/** A claim of this device that the server has not confirmed; `lost` and `refused` are told until they are dismissed. */
export interface ProvisionalClaim {
  /** Local id. */
  task_id: string;
  claim_id: string;
  minutes: number;
  resume: string | null;
  /** ISO time, by this device's clock. */
  until: string;
  state: 'waiting' | 'releasing' | 'lost' | 'refused';
  /** Of a lost one: who has the task. */
  by: string | null;
  /** Of a refused one: the code of the server's refusal. */
  code: string | null;
}

const KEY = 'provisional_claims';

export class ProvisionalClaims {
  private readonly shown = new BehaviorSubject<readonly ProvisionalClaim[]>([]);

  constructor(
    private readonly database: ConvoyDatabase,
    private readonly machine: MachineClaims | null,
    private readonly userId: string,
    /** ms since the epoch, as the server counts it. */
    private readonly now: () => number,
  ) {}

  observe(): Observable<readonly ProvisionalClaim[]> {
    return defer(async () => this.shown.next(await this.all())).pipe(switchMap(() => this.shown));
  }

  async all(): Promise<readonly ProvisionalClaim[]> {
    return (await this.database.localStorage.get<readonly ProvisionalClaim[]>(KEY)) ?? [];
  }

  /** @param remoteId of the task, by which other databases of this machine know it */
  async take(
    claim: Pick<ProvisionalClaim, 'task_id' | 'claim_id' | 'minutes' | 'resume'>,
    remoteId: string,
  ): Promise<{ until: string; rival: MachineClaim | null }> {
    const now = this.now();
    const until = new Date(now + claim.minutes * 60_000).toISOString();
    const mine: MachineClaim = { task_id: remoteId, user_id: this.userId, claim_id: claim.claim_id, until };
    const rival = await this.amongThisMachine((claims) => {
      const live = claims.filter((one) => Date.parse(one.until) > now);
      const standing = live.find(({ task_id }) => task_id === remoteId);
      const isOwn =
        standing?.user_id === this.userId &&
        (standing.claim_id === claim.claim_id || standing.claim_id === claim.resume);
      if (standing && !isOwn) return { claims: live, answer: standing };
      return { claims: [...live.filter((one) => one !== standing), mine], answer: null };
    });
    if (rival) return { until: rival.until, rival };
    await this.put({ ...claim, until, state: 'waiting', by: null, code: null });
    return { until, rival: null };
  }

  /** Replaces what is known of a claim of this device. */
  put(claim: ProvisionalClaim): Promise<void> {
    return this.change((all) => [...all.filter((one) => !isSame(one, claim)), claim]);
  }

  /** The server has answered: this machine settles nothing about the claim any more. */
  async drop(claim: Pick<ProvisionalClaim, 'task_id' | 'claim_id'>, remoteId: string): Promise<void> {
    await this.amongThisMachine((claims) => ({
      claims: claims.filter(
        (one) => one.task_id !== remoteId || one.user_id !== this.userId || one.claim_id !== claim.claim_id,
      ),
      answer: null,
    }));
    await this.forget(claim);
  }

  /** Forgets a claim here: it is confirmed, or its user has seen what became of it. */
  async forget(claim: Pick<ProvisionalClaim, 'task_id' | 'claim_id'>): Promise<void> {
    if ((await this.all()).some((one) => isSame(one, claim))) {
      await this.change((all) => all.filter((one) => !isSame(one, claim)));
    }
  }

  private amongThisMachine<T>(
    edit: (claims: readonly MachineClaim[]) => { claims: readonly MachineClaim[]; answer: T },
  ): Promise<T> {
    if (this.machine) return this.machine.change(edit);
    return this.database.write(async () => {
      const stored = (await this.database.localStorage.get<readonly MachineClaim[]>(`${KEY}_here`)) ?? [];
      const { claims, answer } = edit(stored);
      if (claims.length > 0 || stored.length > 0) {
        await this.database.localStorage.set(`${KEY}_here`, claims);
      }
      return answer;
    }, 'claims');
  }

  private async change(
    edit: (all: readonly ProvisionalClaim[]) => readonly ProvisionalClaim[],
  ): Promise<void> {
    const changed = await this.database.write(async () => {
      const all = edit(await this.all());
      await this.database.localStorage.set(KEY, all);
      return all;
    }, 'claims');
    this.shown.next(changed);
  }
}

function isSame(
  one: Pick<ProvisionalClaim, 'task_id' | 'claim_id'>,
  other: Pick<ProvisionalClaim, 'task_id' | 'claim_id'>,
): boolean {
  return one.task_id === other.task_id && one.claim_id === other.claim_id;
}

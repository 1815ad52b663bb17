/** Which pokes still have to be answered with a sync. */

import type { Poke } from '@/core/pokes';

/** Scope to revision up to which everything is here. */
export type HeldRevisions = ReadonlyMap<string, number>;

interface PendingPoke {
  poke: Poke;
  /** Syncs that were begun after the poke, went well, and did not bring what it told of. */
  tries: number;
}

/** What a sync has to answer. */
export interface PokesAtStart {
  pending: readonly PendingPoke[];
  gap: boolean;
}

/** A poke that two whole syncs did not meet was about something this user may not see. */
const MAX_TRIES = 2;

export class PendingPokes {
  private readonly pending = new Map<string, PendingPoke>();
  private gap = false;

  get isEmpty(): boolean {
    return this.pending.size === 0 && !this.gap;
  }

  add(poke: Poke): void {
    const key = `${poke.kind} ${poke.scope}`;
    const known = this.pending.get(key)?.poke;
    if (poke.kind === 'advanced' && known?.kind === 'advanced' && known.revision >= poke.revision) return;
    this.pending.set(key, { poke, tries: 0 });
  }

  /** Pokes may have been missed: any sync that begins from now on makes up for them. */
  addGap(): void {
    this.gap = true;
  }

  /** A sync begins. @returns what it has to answer */
  begin(): PokesAtStart {
    const begun = { pending: [...this.pending.values()], gap: this.gap };
    this.gap = false;
    return begun;
  }

  /** A sync that went well is over. */
  end({ pending: wishes }: PokesAtStart, held: HeldRevisions): void {
    this.drop(held);
    for (const [key, wish] of this.pending) {
      if (!wishes.includes(wish)) continue;
      wish.tries += 1;
      if (wish.tries >= MAX_TRIES) this.pending.delete(key);
    }
  }

  /** A sync failed, or was not made for want of a network: all it had to answer is still to be answered. */
  missed({ gap }: PokesAtStart): void {
    this.gap ||= gap;
  }

  /** Forgets what this device has already, by its own push or by an earlier sync. */
  drop(held: HeldRevisions): void {
    for (const [key, { poke }] of this.pending) if (isAnswered(poke, held)) this.pending.delete(key);
  }
}

function isAnswered(poke: Poke, held: HeldRevisions): boolean {
  if (poke.kind === 'membership') return held.has(poke.scope) === poke.member;
  return (held.get(poke.scope) ?? -1) >= poke.revision;
}

/** The pokes that a sync still has to answer. */

import type { Poke } from '@/core/pokes';

/** By scope, the revision up to which everything is here. */
export type HeldRevisions = ReadonlyMap<string, number>;

interface PendingPoke {
  poke: Poke;
  /** Syncs that began after the poke and went well without answering it. */
  tries: number;
}

/** The pokes that a sync has to answer: those pending when it began. */
export interface PokesAtStart {
  pending: readonly PendingPoke[];
  /** Pokes may have been missed before it. */
  gap: boolean;
}

/** A poke that two whole syncs did not answer is about something that this user may not see, and is dropped (K5). */
const MAX_TRIES = 2;

/** Keeps the latest poke of each kind and scope until a sync has answered it. */
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

  /** Notes that pokes may have been missed: the next sync that goes well makes up for them (K7). */
  addGap(): void {
    this.gap = true;
  }

  /** To be called when a sync begins. @returns what it has to answer */
  begin(): PokesAtStart {
    const begun = { pending: [...this.pending.values()], gap: this.gap };
    this.gap = false;
    return begun;
  }

  /** To be called when a sync that went well is over. */
  end({ pending: atStart }: PokesAtStart, held: HeldRevisions): void {
    this.drop(held);
    for (const [key, unanswered] of this.pending) {
      if (!atStart.includes(unanswered)) continue;
      unanswered.tries += 1;
      if (unanswered.tries >= MAX_TRIES) this.pending.delete(key);
    }
  }

  /** To be called when a sync failed or had no network: the next one has to answer the same pokes. */
  missed({ gap }: PokesAtStart): void {
    this.gap ||= gap;
  }

  /** Drops pokes about what this device has already, by its own push or an earlier sync (K6). */
  drop(held: HeldRevisions): void {
    for (const [key, { poke }] of this.pending) if (isAnswered(poke, held)) this.pending.delete(key);
  }
}

function isAnswered(poke: Poke, held: HeldRevisions): boolean {
  if (poke.kind === 'membership') return held.has(poke.scope) === poke.member;
  return (held.get(poke.scope) ?? -1) >= poke.revision;
}

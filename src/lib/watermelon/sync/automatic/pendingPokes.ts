/** Which pokes still have to be answered with a sync. */

import type { Poke } from '@/core/pokes';

/** Scope to revision up to which everything is here. */
export type Held = ReadonlyMap<string, number>;

interface Wish {
  poke: Poke;
  /** Syncs that were begun after the poke, went well, and did not bring what it told of. */
  tries: number;
}

/** What a sync has to answer. */
export interface Begun {
  wishes: readonly Wish[];
  gap: boolean;
}

/** A poke that two whole syncs did not meet was about something this user may not see. */
const MOST_TRIES = 2;

export class UnmetPokes {
  private readonly wishes = new Map<string, Wish>();
  private gap = false;

  get isEmpty(): boolean {
    return this.wishes.size === 0 && !this.gap;
  }

  add(poke: Poke): void {
    const key = `${poke.kind} ${poke.scope}`;
    const known = this.wishes.get(key)?.poke;
    if (poke.kind === 'advanced' && known?.kind === 'advanced' && known.revision >= poke.revision) return;
    this.wishes.set(key, { poke, tries: 0 });
  }

  /** Pokes may have been missed: any sync that begins from now on makes up for them. */
  addGap(): void {
    this.gap = true;
  }

  /** A sync begins. @returns what it has to answer */
  begin(): Begun {
    const begun = { wishes: [...this.wishes.values()], gap: this.gap };
    this.gap = false;
    return begun;
  }

  /** A sync that went well is over. */
  end({ wishes }: Begun, held: Held): void {
    this.drop(held);
    for (const [key, wish] of this.wishes) {
      if (!wishes.includes(wish)) continue;
      wish.tries += 1;
      if (wish.tries >= MOST_TRIES) this.wishes.delete(key);
    }
  }

  /** A sync failed, or was not made for want of a network: all it had to answer is still to be answered. */
  missed({ gap }: Begun): void {
    this.gap ||= gap;
  }

  /** Forgets what this device has already, by its own push or by an earlier sync. */
  drop(held: Held): void {
    for (const [key, { poke }] of this.wishes) if (isMet(poke, held)) this.wishes.delete(key);
  }
}

function isMet(poke: Poke, held: Held): boolean {
  if (poke.kind === 'membership') return held.has(poke.scope) === poke.member;
  return (held.get(poke.scope) ?? -1) >= poke.revision;
}

/**
 * Facts of each workspace that edits and lists have to know at once: the revision up to which this device has seen it (U8), and
 * whether it is being purged (P12). A sync notes both with what it writes. After a foreign write they are read from the
 * storage, whatever this tab is doing: it may be waiting for the sync that writes them.
 */

import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';

/** The stored facts, by the local ids of the workspaces. */
export interface Stood {
  seen: ReadonlyMap<string, number>;
  leaving: ReadonlySet<string>;
}

export class Standing {
  private seen = new Map<string, number>();
  private readonly purged = new BehaviorSubject<ReadonlySet<string>>(new Set());
  private isStale = false;
  /** Grows with whatever makes a reading that began before it outdated. */
  private changes = 0;
  private read: (() => Promise<Stood>) | null = null;

  /** The moment that a reading which begins now is of, for `replace`. */
  get asOf(): number {
    return this.changes;
  }

  /** Local ids of the workspaces that are being purged. */
  get leaving(): ReadonlySet<string> {
    return this.purged.value;
  }

  /** As `leaving`, now and whenever it changes. */
  observeLeaving(): Observable<ReadonlySet<string>> {
    return this.purged.pipe(distinctUntilChanged(areSame));
  }

  /** @returns the revision of a scope up to which this device has seen everything; 0 for none. */
  seenRevision(scope: string): number {
    return this.seen.get(scope) ?? 0;
  }

  /** @param scope local id of the workspace */
  noteSeen(scope: string, revision: number): void {
    this.changes += 1;
    this.seen.set(scope, revision);
  }

  /** @param scopes local ids of the workspaces that are being purged from now on */
  noteLeaving(scopes: ReadonlySet<string>): void {
    this.changes += 1;
    this.purged.next(scopes);
  }

  /** Takes over what was read, unless that is outdated. @param asOf when the reading began */
  replace({ seen, leaving }: Stood, asOf: number): void {
    if (asOf !== this.changes) return;
    this.seen = new Map(seen);
    this.purged.next(leaving);
  }

  /** @param read reads what is stored */
  readBy(read: () => Promise<Stood>): void {
    this.read = read;
  }

  /** A foreign write may have changed what is stored. */
  markStale(): void {
    this.changes += 1;
    this.isStale = true;
  }

  /** Reads what is stored, where that may have changed. To be called while this tab writes nothing else; rejects where the storage fails. */
  async freshen(): Promise<void> {
    while (this.isStale && this.read) {
      this.isStale = false;
      const asOf = this.changes;
      try {
        this.replace(await this.read(), asOf);
      } catch (thrown) {
        this.isStale = true;
        throw thrown;
      }
    }
  }
}

function areSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((scope) => other.has(scope));
}

/**
 * Texts that a person has typed and not saved, by record and field. They are in this browser's storage, so that neither Escape nor
 * Back nor a crash loses them, and end when they are saved or discarded.
 */

const PREFIX = 'convoy.draft.';
/** ms between two writes while a person types. */
const THROTTLE_MS = 300;
/** Beyond them the oldest goes: a browser gives a page about 5 MB. */
const MOST_DRAFTS = 200;

export interface Draft {
  text: string;
  /** The value of the record when the person began; '' for a text that belongs to no column. */
  base: string;
  /** ms since the epoch. */
  at: number;
}

/** The field that a draft is of. Drafts of another user are never shown. */
export interface DraftPlace {
  userId: string;
  recordId: string;
  field: string;
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

export class Drafts {
  private readonly pending = new Map<string, Draft>();
  /** Drafts that were read last, by key: the same text is the same object. */
  private readonly known = new Map<string, { stored: string; draft: Draft | null }>();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** @param store throws where it is full, or the browser gives none: drafts then last as long as the page */
  constructor(
    private readonly store: () => Store,
    private readonly now: () => number = Date.now,
  ) {}

  /** @param listener hears of each change of a draft, by this tab and others @returns a function that ends it */
  readonly onChange = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Another tab has changed what is stored. */
  readonly changedElsewhere = (event: Pick<StorageEvent, 'key'>): void => {
    if (event.key === null || event.key.startsWith(PREFIX)) this.tell();
  };

  read(place: DraftPlace): Draft | null {
    const key = keyOf(place);
    return this.pending.get(key) ?? this.stored(key);
  }

  /** Stores it within `THROTTLE_MS`. */
  write(place: DraftPlace, text: string, base: string): void {
    this.pending.set(keyOf(place), { text, base, at: this.now() });
    this.timer ??= setTimeout(() => this.flush(), THROTTLE_MS);
    this.tell();
  }

  remove(place: DraftPlace): void {
    const key = keyOf(place);
    this.pending.delete(key);
    try {
      this.store().removeItem(key);
    } catch {
      // Nothing was stored either.
    }
    this.tell();
  }

  /** Stores at once what was typed last: before the page goes. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const [key, draft] of this.pending) {
      if (this.put(key, draft)) this.pending.delete(key);
    }
  }

  /** Removes all drafts of a user, whose data leaves this browser. */
  forget(userId: string): void {
    const own = `${PREFIX}${userId}.`;
    for (const key of this.pending.keys()) if (key.startsWith(own)) this.pending.delete(key);
    for (const key of this.keys()) if (key.startsWith(own)) this.drop(key);
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private put(key: string, draft: Draft): boolean {
    const others = this.keys().filter((other) => other !== key);
    const byAge = others.sort((one, other) => (this.stored(one)?.at ?? 0) - (this.stored(other)?.at ?? 0));
    for (const old of byAge.slice(0, Math.max(0, byAge.length - MOST_DRAFTS + 1))) this.drop(old);
    try {
      this.store().setItem(key, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  private stored(key: string): Draft | null {
    try {
      const stored = this.store().getItem(key) ?? 'null';
      const known = this.known.get(key);
      if (known?.stored === stored) return known.draft;
      const draft = draftIn(stored);
      this.known.set(key, { stored, draft });
      return draft;
    } catch {
      return null;
    }
  }

  private keys(): string[] {
    try {
      const store = this.store();
      const all = Array.from({ length: store.length }, (_, index) => store.key(index) ?? '');
      return all.filter((key) => key.startsWith(PREFIX));
    } catch {
      return [];
    }
  }

  private drop(key: string): void {
    try {
      this.store().removeItem(key);
    } catch {
      // It stays, and is read by nobody.
    }
  }
}

function draftIn(stored: string): Draft | null {
  const { text, base, at } = (JSON.parse(stored) ?? {}) as Partial<Draft>;
  return typeof text === 'string' && typeof base === 'string' && typeof at === 'number'
    ? { text, base, at }
    : null;
}

function keyOf({ userId, recordId, field }: DraftPlace): string {
  return `${PREFIX}${userId}.${recordId}.${field}`;
}

export const drafts = new Drafts(() => localStorage);

globalThis.addEventListener?.('storage', drafts.changedElsewhere);
// A page that is put away may never run again.
globalThis.addEventListener?.('pagehide', () => drafts.flush());
globalThis.document?.addEventListener('visibilitychange', () => drafts.flush());

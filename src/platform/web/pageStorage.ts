/** `localStorage`, or what stands in for it where the browser refuses it to the page: all cookies blocked, some private windows. */

let chosen: Storage | null = null;

/** @returns what outlives the page where the browser lets it; where not, it ends with the page */
export function pageStorage(): Storage {
  chosen ??= offered() ?? new MemoryStorage();
  return chosen;
}

/** @returns whether what the page stores, its session above all, ends with it */
export function endsWithPage(): boolean {
  return pageStorage() instanceof MemoryStorage;
}

const PROBE = 'convoy:probe';

function offered(): Storage | null {
  try {
    const { localStorage } = window;
    // Some browsers offer it, and refuse its use.
    if (localStorage.length === 0) {
      localStorage.setItem(PROBE, '');
      localStorage.removeItem(PROBE);
    }
    return localStorage;
  } catch {
    return null;
  }
}

class MemoryStorage implements Storage {
  private readonly values = new Map<string, string>();

  get length(): number {
    return this.values.size;
  }

  key(index: number): string | null {
    return [...this.values.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }

  removeItem(key: string): void {
    this.values.delete(key);
  }

  clear(): void {
    this.values.clear();
  }
}

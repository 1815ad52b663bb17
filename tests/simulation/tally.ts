/** What happened in a run, by kind: a kind of work or fault that never happens proves nothing. */

export type Counts = Record<string, number>;

/** Work that was acknowledged; faults; storage steps: all, those where a process died, those where the disk was full. */
export type Kind = 'work' | 'fault' | 'step' | 'death' | 'full';

export class Tally {
  readonly counts: Counts = {};

  add(kind: Kind, what: string): void {
    const key = `${kind}: ${what}`;
    this.counts[key] = (this.counts[key] ?? 0) + 1;
  }

  /** @returns how many of a kind. */
  sum(kind: Kind): number {
    return sumOf(this.counts, kind);
  }
}

export function sumOf(counts: Counts, kind: Kind): number {
  return Object.values(ofKind(counts, kind)).reduce((sum, count) => sum + count, 0);
}

/** @returns the counts of a kind by name, most first. */
export function ofKind(counts: Counts, kind: Kind): Counts {
  const entries = Object.entries(counts).filter(([key]) => key.startsWith(`${kind}: `));
  const named = entries.map(([key, count]) => [key.slice(kind.length + 2), count] as const);
  return Object.fromEntries(named.sort(([, a], [, b]) => b - a));
}

export function merged(all: readonly Counts[]): Counts {
  const sums: Counts = {};
  for (const counts of all) {
    for (const [key, count] of Object.entries(counts)) sums[key] = (sums[key] ?? 0) + count;
  }
  return sums;
}

/** Results and what they are made of. */

import type { SubjectName } from './subjects/main';

export interface Result {
  work: string;
  size: string;
  subject: SubjectName | 'remote';
  /** Median, or the percentile that the work names; null where what counts is the number of requests. */
  ms: number | null;
  /** To the limit, in the same run. */
  ratio: number | null;
  rssMb: number | null;
  /** Bytes received over the wire. */
  wireKb: number | null;
  /** The cost of a call that does nothing in this subject. */
  callMs: number | null;
  requests: number | null;
  /** Rows that were read from the local database. */
  rowsRead: number | null;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Samples of several subjects, taken in turns. */
export class Samples {
  private readonly taken = new Map<SubjectName, Partial<Result> & { all: number[] }>();

  add(subject: SubjectName, ms: number, more: Partial<Result> = {}): void {
    const known = this.taken.get(subject);
    this.taken.set(subject, { ...known, ...more, all: [...(known?.all ?? []), ms] });
  }

  /** @param share of the samples below the result, 0.5 for the median */
  results(work: string, size: string, share = 0.5): Result[] {
    const limit = this.taken.get('limit');
    return [...this.taken].map(([subject, { all, ...more }]) => {
      const ms = quantile(all, share);
      const ratio = limit ? ms / quantile(limit.all, share) : null;
      return { ...EMPTY, ...more, work, size, subject, ms, ratio };
    });
  }
}

export const EMPTY = {
  ms: null,
  ratio: null,
  rssMb: null,
  wireKb: null,
  callMs: null,
  requests: null,
  rowsRead: null,
};

/** Wrong results, in words. A slow result is never a failure, a wrong one is. */
export class Checks {
  readonly broken: string[] = [];

  equal(what: string, found: unknown, wanted: unknown): void {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (a !== b) this.broken.push(`${what}: ${short(a)}, not ${short(b)}`);
  }
}

function short(text = 'undefined'): string {
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}

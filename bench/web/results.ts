/** Results of both subjects, taken in turns; the ratio is to the stock one's of the same run. */

import { median } from '../measure';
import { aligned, digits } from '../report';

export const SUBJECTS = ['convoy', 'stock'] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export interface WebResult {
  work: string;
  size: string;
  subject: SubjectName;
  /** Median; null where memory is the only result. */
  ms: number | null;
  /** To the stock subject; of pages that a list watches, to those that nobody watches. */
  ratio: number | null;
  /** JavaScript heap, or the memory that the work names, after a garbage collection. */
  heapMb: number | null;
  /** Resident memory of the page's process. */
  rssMb: number | null;
  wireKb: number | null;
}

type Kind = 'ms' | 'heapMb' | 'rssMb';

export class Taken {
  private readonly works = new Map<string, Map<SubjectName, Record<Kind, number[]>>>();

  add(work: string, subject: SubjectName, kind: Kind, values: readonly (number | null)[]): void {
    const subjects = this.works.get(work) ?? new Map<SubjectName, Record<Kind, number[]>>();
    this.works.set(work, subjects);
    const known = subjects.get(subject) ?? { ms: [], heapMb: [], rssMb: [] };
    subjects.set(subject, known);
    known[kind].push(...values.filter((value) => value !== null));
  }

  /** @param size how many tasks are stored */
  results(size: number): WebResult[] {
    return [...this.works].flatMap(([work, subjects]) =>
      [...subjects].map(([subject, taken]) => {
        const [ms, heapMb, rssMb] = [middle(taken.ms), middle(taken.heapMb), middle(taken.rssMb)];
        const stock = subjects.get('stock');
        const ratio =
          ms === null ? share(heapMb, stock && middle(stock.heapMb)) : share(ms, stock && middle(stock.ms));
        return { work, size: String(size), subject, ms, ratio, heapMb, rssMb, wireKb: null };
      }),
    );
  }
}

const middle = (values: number[]) => (values.length > 0 ? median(values) : null);
const share = (one: number | null, other: number | null | undefined) =>
  one !== null && other ? one / other : null;

export function asWebTable(results: readonly WebResult[]): string {
  const rows = results.map(({ work, size, subject, ms, ratio, heapMb, rssMb, wireKb }) => [
    work,
    size,
    subject,
    ...[ms, ratio, heapMb, rssMb, wireKb].map(digits),
  ]);
  return aligned(['work', 'tasks', 'subject', 'ms', 'ratio', 'heap MB', 'RSS MB', 'wire KB'], rows);
}

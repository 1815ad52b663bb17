/** W1: everything of a user into an empty local database. */

import { COUNTS } from '../data/workspace';
import { Samples } from '../measure';
import type { Bench } from './bench';

/** The standard workflow and the best practices that everybody gets. */
const REFERENCE = { workflows: 1, best_practices: 4 };

export async function firstSync(bench: Bench): Promise<void> {
  const { size, checks, options } = bench;
  const samples = new Samples();
  const wanted = Object.fromEntries(
    Object.entries({ ...COUNTS, workflows: 0 }).map(([table, count]) => [
      table,
      count * size.workspaceIds.length + (REFERENCE[table as keyof typeof REFERENCE] ?? 0),
    ]),
  );
  await bench.inTurns(options.repetitions, async (name) => {
    const subject = await bench.start(name, true);
    await subject.tell('open');
    await subject.tell('emptyCalls', 1);
    const { ms, received, requests } = await subject.tell('sync');
    const rssMb = await subject.tell('memory');
    samples.add(name, ms, { rssMb, wireKb: received / 1024, requests });
    const found = await subject.tell('counts');
    for (const [table, count] of Object.entries(wanted)) {
      checks.equal(`W1 ${size.name} ${name}: rows of ${table}`, found[table], count);
    }
    await subject.end();
  });
  bench.results.push(...samples.results('W1 first sync', size.name));
}

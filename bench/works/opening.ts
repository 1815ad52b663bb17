/** W6: from a process that has opened nothing to the first row, and to a context. */

import { Samples } from '../measure';
import type { Bench } from './bench';

export async function opening(bench: Bench): Promise<void> {
  const { size, checks } = bench;
  // Opened and filled once, then let go of.
  for (const name of bench.options.subjects) await bench.subject(name);
  await bench.endAll();
  const firstRow = new Samples();
  const context = new Samples();
  const titles = new Map<string, string>();
  const [taskId] = bench.tasks(1);
  await bench.inTurns(bench.options.repetitions + 2, async (name) => {
    const subject = await bench.start(name);
    const opened = await subject.tell('openAndRead', taskId as string);
    firstRow.add(name, opened.firstRow);
    context.add(name, opened.context);
    titles.set(name, opened.title);
    await subject.end();
  });
  // Titles may differ by now: the limit and stock have tables of their own on the server.
  for (const [name, title] of titles) checks.equal(`W6 ${size.name} ${name}: a title`, title !== '', true);
  bench.results.push(
    ...firstRow.results('W6 first row', size.name),
    ...context.results('W6 context', size.name),
  );
}

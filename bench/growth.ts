/** `npm run bench -- --growth`: does the cost of a first sync grow with the data, and of everything else not at all? */

import { mkdirSync, writeFileSync } from 'node:fs';
import { COUNTS } from './data/workspace';
import type { Checks, Result } from './measure';
import { type Panel, plot } from './plot';
import { Bench } from './works/bench';
import { firstSync } from './works/firstSync';
import { emptyCalls, idleSync } from './works/inStep';
import { contexts } from './works/reading';
import type { BenchWorld } from './world';

/** Workspaces of 10,000 tasks each. */
export const GROWTH = { '10k': 1, '50k': 5, '100k': 10, '300k': 30 } as const;
const COLOURS = { limit: '#8c959f', convoy: '#0969da' } as const;

/** @param onDone is called with each size */
export async function measureGrowth(
  world: BenchWorld,
  checks: Checks,
  profile: string | null,
  onDone: (size: string) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  const sizes = [];
  for (const [name, workspaces] of Object.entries(GROWTH)) sizes.push(await world.addSize(name, workspaces));
  await world.addStock();
  for (const size of sizes) {
    const options = { subjects: ['limit', 'convoy'] as const, repetitions: 1, profile };
    const bench = new Bench(world, size, checks, options);
    await firstSync(bench);
    await emptyCalls(bench);
    await idleSync(bench);
    await contexts(bench);
    await bench.endAll();
    results.push(...bench.results);
    onDone(size.name);
  }
  return results;
}

/** Writes docs/images/growth.svg. */
export function drawGrowth(results: readonly Result[]): void {
  const first = results.filter(({ work }) => work.startsWith('W1'));
  const panel = (title: string, measured: (result: Result) => number): Panel => ({
    title,
    xLabel: 'tasks, with 2.5 other rows each',
    lines: (['convoy', 'limit'] as const).map((name) => ({
      name,
      colour: COLOURS[name],
      points: first
        .filter(({ subject }) => subject === name)
        .map((result) => [GROWTH[result.size as keyof typeof GROWTH] * COUNTS.tasks, measured(result)]),
    })),
  });
  const image = new URL('../docs/images/growth.svg', import.meta.url);
  mkdirSync(new URL('.', image), { recursive: true });
  writeFileSync(
    image,
    plot('Time and memory of a first sync of 10,000 to 300,000 tasks', [
      panel('First sync: seconds', ({ ms }) => (ms ?? 0) / 1000),
      panel('First sync: most memory of the process, MB', ({ rssMb }) => rssMb ?? 0),
    ]),
  );
}

/** W12: a first sync while a list is shown, in its own process or in another one, beside one that nobody watches. */

import { writeFileSync } from 'node:fs';
import { EMPTY, median, type Result } from '../measure';
import { type Panel, plot } from '../plot';
import type { SubjectProcess } from '../subjects/process';
import type { Bench } from './bench';

type Place = 'same process' | 'another process';
interface Sample {
  ms: number;
  /** The most memory of the process that shows the list, MB. */
  rssMb: number;
  /** Rows that the process read which shows the list. */
  rowsRead: number;
}

const LISTS = ['a milestone', 'all tasks'] as const;
const PLACES: readonly Place[] = ['same process', 'another process'];

/** Only Convoy tells lists of what other processes write. */
export async function watchedSync(bench: Bench): Promise<void> {
  const { size, options, results, world } = bench;
  const { rows } = await world.admin.query('select milestone_id from public.tasks where id = $1', [
    size.taskIds[0],
  ]);
  const milestone = rows[0].milestone_id as string;
  const works: [work: string, run: () => Promise<Sample>][] = [
    ['W12 nobody watches', () => syncOnce(bench, null, null)],
    ...PLACES.flatMap((place) =>
      LISTS.map((list): [string, () => Promise<Sample>] => [
        `W12 ${list}, ${place}`,
        () => syncOnce(bench, place, list === 'all tasks' ? null : milestone),
      ]),
    ),
  ];
  const samples = new Map<string, Sample[]>();
  for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
    for (const [work, run] of works) samples.set(work, [...(samples.get(work) ?? []), await run()]);
  }
  const middle = (work: string, pick: (sample: Sample) => number) =>
    median((samples.get(work) ?? []).map(pick));
  const unwatched = middle('W12 nobody watches', ({ ms }) => ms);
  for (const [work] of works) {
    const ms = middle(work, (sample) => sample.ms);
    results.push({
      ...EMPTY,
      work,
      size: size.name,
      subject: 'convoy',
      ms,
      ratio: ms / unwatched,
      rssMb: middle(work, ({ rssMb }) => rssMb),
      rowsRead: middle(work, ({ rowsRead }) => rowsRead),
    });
  }
}

/** @param milestone whose tasks are shown; null for all */
async function syncOnce(bench: Bench, place: Place | null, milestone: string | null): Promise<Sample> {
  const { size, checks, world } = bench;
  const syncing = await bench.start('convoy', true);
  await syncing.tell('open');
  await syncing.tell('emptyCalls', 1);
  const watching = place === 'another process' ? await bench.startBeside('convoy') : syncing;
  if (watching !== syncing) await watching.tell('open');
  if (place) await watching.tell('watch', milestone);
  const { ms } = await syncing.tell('sync');
  if (place) {
    const { rows } = await world.admin.query(
      `select count(*)::int as n from public.tasks where deleted_at is null and workspace_id = any ($1)
         and ($2::uuid is null or milestone_id = $2)`,
      [size.workspaceIds, milestone],
    );
    await untilShown(watching, rows[0].n);
    const { shown } = await watching.tell('watched');
    checks.equal(`W12 ${size.name} ${place}: tasks shown`, shown, rows[0].n);
  }
  const { rowsRead } = await watching.tell('watched');
  const sample = { ms, rssMb: await watching.tell('memory'), rowsRead };
  if (watching !== syncing) await watching.end();
  await syncing.end();
  return sample;
}

/** The last page is shown after a pause. */
async function untilShown(watching: SubjectProcess, wanted: number): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if ((await watching.tell('watched')).shown === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const DRAWN: readonly (readonly [work: string, name: string, colour: string])[] = [
  ['W12 nobody watches', 'nobody watches', '#8c959f'],
  ['W12 a milestone, same process', 'a milestone, same process', '#1d7a8a'],
  ['W12 a milestone, another process', 'a milestone, another process', '#b35900'],
  ['W12 all tasks, another process', 'all tasks, another process', '#8250df'],
];

/**
 * Draws docs/images/watched.svg.
 * @param tasks how many, by the name of a size
 */
export function drawWatched(results: readonly Result[], tasks: (size: string) => number): void {
  const panel = (title: string, measured: (result: Result) => number): Panel => ({
    title,
    xLabel: 'tasks, with 2.5 other rows each',
    lines: DRAWN.map(([work, name, colour]) => ({
      name,
      colour,
      points: results
        .filter((result) => result.work === work)
        .map((result) => [tasks(result.size), measured(result)]),
    })),
  });
  writeFileSync(
    new URL('../../docs/images/watched.svg', import.meta.url),
    plot('A first sync that a list watches', [
      panel('First sync: seconds', ({ ms }) => (ms ?? 0) / 1000),
      panel("Rows read by the list's process", ({ rowsRead }) => rowsRead ?? 0),
      panel("Most memory of the list's process, MB", ({ rssMb }) => rssMb ?? 0),
    ]),
  );
}

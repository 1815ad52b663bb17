/**
 * `npm run prove:limits`: does large work, or a slow link, ever stop a sync? Each case at its size and at larger ones, on
 * PGlite and on PostgreSQL with the time limit that Supabase has, each in a process of its own; and does it grow with more
 * than its size?
 */

import { spawn } from 'node:child_process';
import { postgresBinaries, startPostgres } from '../../tests/support/postgres';
import { SlowProxy } from '../../tests/support/slowProxy';
import { World } from '../../tests/support/world';
import { readOptions } from '../support/options';
import { LIMIT_CASES } from './limitCases';

interface Measured {
  case: string;
  on: string;
  size: number;
  ok: boolean;
  /** The reason where it is not. */
  why: string | null;
  seconds: number;
  /** Of the whole process, the server's share included. */
  peakMb: number;
  requests: number;
}

const { values: flags } = readOptions({
  options: {
    json: { type: 'boolean', default: false },
    /** Names of cases, in part. */
    only: { type: 'string' },
    /** Each case at its size times these. */
    times: { type: 'string', default: '1,4' },
    on: { type: 'string', default: 'pglite,postgres' },
    /** One measurement, in this process: its case, size and place. */
    one: { type: 'string' },
  },
});

async function measure(name: string, size: number, on: string): Promise<Measured> {
  const found = LIMIT_CASES.find((one) => one.name === name);
  if (!found) throw new Error(`There is no case ${name}.`);
  const cluster = on === 'postgres' ? await startPostgres() : null;
  const url = await cluster?.createDatabase();
  const world = await World.start(url ? { kind: 'postgres', url } : undefined);
  const proxy = await SlowProxy.start(world.stack.url);
  let [startedAt, before] = [performance.now(), 0];
  const count = () => {
    startedAt = performance.now();
    before = proxy.begun.length;
  };
  let why: string | null;
  try {
    why = await found.run({ world, size, proxy, count });
  } catch (error) {
    why = String(error);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const requests = proxy.begun.length - before;
  await world.close();
  await proxy.close();
  await cluster?.stop();
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  return {
    case: name,
    on,
    size,
    ok: why === null,
    why,
    seconds: Number(seconds.toFixed(2)),
    peakMb,
    requests,
  };
}

/** Measures in a process of its own, so that memory is its own. */
async function measureApart(name: string, size: number, on: string): Promise<Measured> {
  const order = JSON.stringify({ name, size, on });
  const child = spawn('npx', ['tsx', 'scripts/prove/limits.ts', '--one', order], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (part: Buffer) => {
    printed += part.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  const line = printed.trim().split('\n').at(-1) ?? '';
  if (line.startsWith('{')) return JSON.parse(line) as Measured;
  return { case: name, on, size, ok: false, why: 'the process died', seconds: 0, peakMb: 0, requests: 0 };
}

function print(measured: readonly Measured[]): void {
  const say = (cells: readonly (string | number)[]) =>
    console.log(
      cells.map((cell, n) => String(cell)[n === 0 ? 'padEnd' : 'padStart'](n === 0 ? 48 : 10)).join(''),
    );
  say(['case', 'on', 'size', 'ok', 'seconds', 'per size', 'MB', 'requests']);
  for (const one of measured) {
    const first = measured.find((other) => other.case === one.case && other.on === one.on);
    // 1: as many times the seconds as the size has grown; below that it grows with less.
    const growth = first ? one.seconds / first.seconds / (one.size / first.size) : 1;
    say([
      one.case,
      one.on,
      one.size,
      one.ok ? 'yes' : 'NO',
      one.seconds,
      growth.toFixed(2),
      one.peakMb,
      one.requests,
    ]);
    if (one.why) console.log(`    ${one.why}`);
  }
}

async function prove(): Promise<void> {
  const places = flags.on.split(',').filter((on) => on !== 'postgres' || postgresBinaries() !== null);
  const measured: Measured[] = [];
  for (const { name, size } of LIMIT_CASES) {
    if (flags.only && !name.includes(flags.only)) continue;
    for (const on of places) {
      for (const times of flags.times.split(',').map(Number)) {
        const one = await measureApart(name, Math.round(size * times), on);
        measured.push(one);
        if (!flags.json)
          console.error(`${one.case} on ${on}: ${one.size} in ${one.seconds} s${one.ok ? '' : ', FAILED'}`);
      }
    }
  }
  if (flags.json) console.log(JSON.stringify(measured));
  else print(measured);
  if (measured.length === 0 || measured.some(({ ok }) => !ok)) process.exitCode = 1;
}

if (flags.one) {
  const { name, size, on } = JSON.parse(flags.one) as { name: string; size: number; on: string };
  console.log(JSON.stringify(await measure(name, size, on)));
} else await prove();

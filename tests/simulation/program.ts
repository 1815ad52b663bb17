/** A run as data: a list of steps made from the seed. Any part of the list can be run as well. */

import type { NetworkFault } from './network';
import { OPERATIONS } from './operations';
import { Random } from './random';

export type Action =
  | 'work'
  | 'sync'
  /** A sync begins; its first request stays on its way until something moves it. */
  | 'begin sync'
  /** Some request, or some answer, moves on. */
  | 'advance'
  | 'break connection'
  | 'late arrival'
  | 'network fault'
  | 'kill'
  | 'die during'
  | 'restart'
  | 'disk full'
  | 'offline'
  | 'online'
  | 'pass time'
  | 'set clock'
  | 'role'
  | 'remove member'
  | 'readmit'
  | 'service edit'
  | 'service delete'
  | 'back up'
  | 'restore backup'
  | 'purge'
  | 'resolve';

export interface Step {
  action: Action;
  /** Which device; modulo their number. */
  device: number;
  /** Seeds every further choice of the step. */
  pick: number;
  /** Of work, or of a network fault: which. */
  what?: string;
}

export interface Program {
  seed: number;
  devices: number;
  workspaces: number;
  pageRows: number;
  /** Whether the devices find to rest by themselves, with their own timers. */
  automatic: boolean;
  steps: Step[];
}

/** Kinds of faults; each run has some of them. */
const FAULTS: Record<string, readonly (readonly [Action, number])[]> = {
  network: [['network fault', 8]],
  overlap: [
    ['begin sync', 8],
    ['advance', 16],
    ['break connection', 1],
  ],
  late: [['late arrival', 2]],
  kills: [
    ['kill', 2],
    ['die during', 4],
    ['restart', 1],
  ],
  disk: [['disk full', 2]],
  offline: [
    ['offline', 1],
    ['online', 1],
  ],
  clocks: [
    ['set clock', 2],
    ['pass time', 3],
  ],
  members: [
    ['role', 2],
    ['remove member', 1],
    ['readmit', 1.5],
  ],
  service: [
    ['service edit', 3],
    ['service delete', 0.5],
  ],
  restore: [
    ['back up', 2],
    ['restore backup', 1],
  ],
  purge: [
    ['purge', 1],
    ['pass time', 1],
  ],
  people: [['resolve', 4]],
};

const NETWORK_FAULTS: readonly (readonly [NetworkFault, number])[] = [
  ['lose request', 3],
  ['lose answer', 5],
  ['late', 3],
  ['twice', 3],
  ['cut answer', 2],
  ['error 500', 1],
  ['error 503 after', 2],
  ['error 429', 1],
  ['expired', 1],
];

const WORK = Object.entries(OPERATIONS).map(([name, [weight]]) => [name, weight] as const);

/** Steps of one run. */
export const STEPS = 90;

export function makeProgram(seed: number, steps = STEPS): Program {
  const random = new Random(seed);
  // Few kinds of faults at a time reach further than all of them at once (swarm testing).
  const kinds = Object.keys(FAULTS).filter(() => random.chance(0.4));
  const actions: (readonly [Action, number])[] = [
    ['work', 50],
    ['sync', 22],
    ...kinds.flatMap((kind) => FAULTS[kind] ?? []),
  ];
  return {
    seed,
    devices: 2 + random.below(5),
    workspaces: 1 + random.below(2),
    pageRows: random.pick([5, 40, 2_000]),
    automatic: random.chance(0.15),
    steps: Array.from({ length: steps }, () => {
      const action = random.weighted(actions);
      const step: Step = { action, device: random.below(60), pick: random.below(2 ** 31) };
      if (action === 'work') step.what = random.weighted(WORK);
      if (action === 'network fault') step.what = random.weighted(NETWORK_FAULTS);
      return step;
    }),
  };
}

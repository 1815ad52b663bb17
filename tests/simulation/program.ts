/** A run as data: a list of steps made from the seed. Any part of the list can be run as well. */

import { LINKS } from './links';
import type { NetworkFault } from './network';
import { LARGE_OPERATIONS, NEXT_OPERATIONS, OPERATIONS } from './operations';
import { Random } from './random';

/** What happens to agents. */
const AGENT_ACTIONS = ['pause', 'forge kind', 'forge review'] as const;

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
  /** Another tab or process opens the database of the device. */
  | 'second process'
  /** The device is opened with the next version of the code from here on. */
  | 'upgrade'
  | 'migrate server'
  | 'offline'
  | 'online'
  | 'pass time'
  | 'set clock'
  | 'role'
  | 'remove member'
  | 'readmit'
  | 'service edit'
  | 'service delete'
  /** A row as no device can store it, and one that all can store again. */
  | 'unreadable row'
  | 'repair row'
  | 'back up'
  | 'restore backup'
  | 'purge'
  /** The connection of a device becomes slow, or fast again. */
  | 'link'
  | 'resolve'
  | (typeof AGENT_ACTIONS)[number];

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
  /** Tasks in one milestone of the first workspace, before the devices sync: absent for none. */
  rows?: number;
  /** Of `LINKS`, the connection that the last device has from the beginning; absent: bytes take it no time. */
  link?: number;
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
  disk: [['disk full', 3]],
  processes: [
    ['second process', 3],
    ['kill', 1],
  ],
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

/** Requests that take too long. */
const TIMEOUTS: readonly (readonly [NetworkFault, number])[] = [
  ['gateway timeout', 2],
  ['gateway timeout after', 3],
  ['gateway timeout, late', 3],
  ['statement timeout', 3],
];

/** Counted where it happens, not where it is requested. */
const NO_FAULTS: ReadonlySet<Action> = new Set([
  ...(['begin sync', 'advance', 'network fault', 'die during', 'online', 'resolve'] as const),
]);

/** Every kind of fault that a long run has to have seen. */
export const FAULT_KINDS: readonly string[] = [
  ...Object.values(FAULTS)
    .flat()
    .map(([action]) => action)
    .filter((action) => !NO_FAULTS.has(action)),
  ...[...NETWORK_FAULTS, ...TIMEOUTS].map(([fault]) => fault),
  ...AGENT_ACTIONS,
  'unreadable row',
  'repair row',
  'link',
  'large workspace',
  'death at a storage step',
  'upgrade',
  'migrate server',
];

const WORK = Object.entries(OPERATIONS).map(([name, [weight]]) => [name, weight] as const);
const LARGE_WORK = Object.keys(LARGE_OPERATIONS);

/** Steps of one run. */
export const STEPS = 90;

export function makeProgram(seed: number, steps = STEPS): Program {
  const random = new Random(seed);
  // Few kinds of faults at a time reach further than all of them at once (swarm testing).
  const kinds = Object.keys(FAULTS).filter(() => random.chance(0.4));
  const actions: (readonly [Action, number])[] = [
    ['work', 70],
    ['sync', 22],
    ...kinds.flatMap((kind) => FAULTS[kind] ?? []),
  ];
  const program: Program = {
    seed,
    devices: 2 + random.below(5),
    workspaces: 1 + random.below(2),
    pageRows: random.weighted([
      [5, 1],
      [40, 2],
      [2_000, 2],
    ]),
    steps: Array.from({ length: steps }, () => {
      const action = random.weighted(actions);
      const step: Step = { action, device: random.below(60), pick: random.below(2 ** 31) };
      if (action === 'work') step.what = random.weighted(WORK);
      if (action === 'network fault') step.what = random.weighted(NETWORK_FAULTS);
      return step;
    }),
  };
  // Drawn apart, so that they change no other program.
  const slowness = new Random(seed + 49_979_687);
  const timed = slowness.chance(SLOW) ? slowDown(program, slowness) : program;
  const largeness = new Random(seed + 86_028_121);
  if (largeness.chance(LARGE)) return enlarge(timed, largeness);
  const duelling = new Random(seed + 141_650_939);
  const others = withOthers(seed, timed);
  return duelling.chance(DUELLED) ? duel(others, duelling) : others;
}

/** The part of the programs in which sessions of one user want the same task, and agents settle reviews. */
const DUELLED = 0.25;

function duel(program: Program, random: Random): Program {
  const steps = [...program.steps];
  for (let n = 0; n < 3; n += 1) {
    const [one] = twoOf(random) as [Maker, Maker];
    // One request of the two is on its way at a time.
    insertAll(steps, random, [one('work', 'rivalClaim'), one('sync'), one('sync')]);
    insert(steps, random, 'forge review', 5);
  }
  return { ...program, steps };
}

/** Adds what some programs have, each drawn apart. */
function withOthers(seed: number, given: Program): Program {
  const naming = new Random(seed + 122_949_823);
  const timed = naming.chance(NAMED) ? name(given, naming) : given;
  const linking = new Random(seed + 67_867_967);
  const linked = linking.chance(LINKED) ? link(timed, linking) : timed;
  const evolution = new Random(seed + 15_485_863);
  if (evolution.chance(EVOLVING)) return evolve(linked, evolution);
  const spoiling = new Random(seed + 32_452_843);
  return spoiling.chance(SPOILED) ? spoil(linked, spoiling) : linked;
}

/** The part of the programs in which keys are changed and forged, and agents are paused. */
const NAMED = 0.4;

function name(program: Program, random: Random): Program {
  const steps = [...program.steps];
  for (let n = 0; n < 3; n += 1) insert(steps, random, 'work', 5, 'rekey');
  for (let n = 0; n < 3; n += 1) insert(steps, random, 'work', 5, 'bringKey');
  for (let n = 0; n < 4; n += 1) insert(steps, random, 'pause', 5);
  insert(steps, random, 'forge kind', 5);
  return { ...program, steps };
}

/** The part of the programs with a large workspace, and of the others those with slow connections. */
const LARGE = 1 / 30;
const LINKED = 0.12;

/** Connections change, and stay as they are to the end. */
function link(program: Program, random: Random): Program {
  const steps = [...program.steps];
  for (let n = 0; n < 5; n += 1) insert(steps, random, 'link', 5);
  return { ...program, steps, link: random.below(LINKS.length) };
}

/** Fewer steps and devices, since each takes longer; the milestone with all the tasks is deleted, and restored. */
function enlarge(program: Program, random: Random): Program {
  const steps = program.steps.slice(0, 20);
  const large: Program = {
    ...program,
    devices: 2,
    pageRows: random.pick([500, 2_000]),
    rows: 10_000 + random.below(2_000),
    steps,
  };
  for (const what of [...LARGE_WORK, ...LARGE_WORK]) {
    const device = random.below(60);
    const at = 5 + random.below(steps.length - 5);
    steps.splice(
      at,
      0,
      { action: 'work', device, pick: random.below(2 ** 31), what },
      { action: 'sync', device, pick: random.below(2 ** 31) },
    );
  }
  return random.chance(0.7) ? link(large, random) : large;
}

/** The part of the programs in which requests take too long. */
const SLOW = 0.3;

/** Timeouts come in rows, as where a request is too much for the server or the link. */
function slowDown(program: Program, random: Random): Program {
  const steps = [...program.steps];
  for (let n = 0; n < 4; n += 1) {
    const at = 5 + random.below(steps.length - 5);
    const device = random.below(60);
    const row = Array.from({ length: 1 + random.below(4) }, () => ({
      action: 'network fault' as const,
      device,
      pick: random.below(2 ** 31),
      what: random.weighted(TIMEOUTS),
    }));
    const sync = { action: 'sync' as const, device, pick: random.below(2 ** 31) };
    steps.splice(at, 0, ...row, sync, { action: 'late arrival', device, pick: random.below(2 ** 31) });
  }
  for (let n = 0; n < 3; n += 1) insertAll(steps, random, goneOnFrom(random));
  for (let n = 0; n < 3; n += 1) insertAll(steps, random, crossing(random));
  return { ...program, steps };
}

function insertAll(steps: Step[], random: Random, inserted: readonly Step[]): void {
  steps.splice(5 + random.below(steps.length - 5), 0, ...inserted);
}

/** Two devices, and how they make a step. */
function twoOf(random: Random): ((action: Action, what?: string) => Step)[] {
  return [random.below(60), random.below(60)].map((device) => (action, what) => ({
    action,
    device,
    pick: random.below(2 ** 31),
    ...(what !== undefined && { what }),
  }));
}

type Maker = ReturnType<typeof twoOf>[number];

/** A push is carried out, not heard of, and gone on from by others before it is heard of. */
function goneOnFrom(random: Random): Step[] {
  const [one, other] = twoOf(random) as [Maker, Maker];
  const round = () => [
    one('network fault', 'error 503 after'),
    one('sync'),
    other('sync'),
    other('work', 'renameProject'),
    other('sync'),
  ];
  return [one('work', 'renameProject'), one('work', 'overview'), ...round(), ...round(), one('sync')];
}

/** While a push that others have crossed is on its way, the same record is edited in another column. */
function crossing(random: Random): Step[] {
  const [one, other] = twoOf(random) as [Maker, Maker];
  return [
    one('sync'),
    other('sync'),
    other('work', 'renameProject'),
    other('sync'),
    one('work', 'overview'),
    one('begin sync'),
    one('work', 'renameProject'),
    one('sync'),
    other('sync'),
  ];
}

/** Puts a step of its own kind at some place from `from` on. */
function insert(steps: Step[], random: Random, action: Action, from: number, what?: string): void {
  steps.splice(from + random.below(steps.length - from), 0, {
    action,
    device: random.below(60),
    pick: random.below(2 ** 31),
    ...(what !== undefined && { what }),
  });
}

/** The part of the programs in which somebody writes rows that no device can store. */
const SPOILED = 0.15;

function spoil(program: Program, random: Random): Program {
  const steps = [...program.steps];
  for (let n = 0; n < 3; n += 1) insert(steps, random, 'unreadable row', 5);
  for (let n = 0; n < 2; n += 1) insert(steps, random, 'repair row', 20);
  for (let n = 0; n < 4; n += 1) insert(steps, random, 'work', 5, 'editPattern');
  return { ...program, steps };
}

/** The part of the programs in which the schema gets a migration. Each needs a server of its own. */
const EVOLVING = 0.06;

/** A migration of the server, and devices that are upgraded, sooner or later; or never. */
function evolve(program: Program, random: Random): Program {
  // A backup of the time before the migration fits nowhere.
  const steps = program.steps.filter(({ action }) => action !== 'back up' && action !== 'restore backup');
  insert(steps, random, 'migrate server', 10);
  for (let n = 0; n < 4; n += 1) insert(steps, random, 'upgrade', 5);
  for (let n = 0; n < 20; n += 1)
    insert(steps, random, 'work', 15, random.pick(Object.keys(NEXT_OPERATIONS)));
  return { ...program, steps };
}

/** Whether the database is not the same afterwards. */
export function changesSchema({ steps }: Program): boolean {
  return steps.some(({ action }) => action === 'migrate server' || action === 'upgrade');
}

/** Random requests of a caller: values in and beyond every rule, for tests that compare what becomes of them. */

import fc from 'fast-check';
import { isUuid } from '@/core/text';
import type { SyncedTable } from '@/domain/schema';
import {
  MILESTONE_STATUSES,
  PROJECT_STATUSES,
  STANDARD_STAGES,
  STANDARD_WORKFLOW_ID,
  TASK_PRIORITIES,
  TASK_STATUSES,
} from '@/domain/vocabulary';
import { SEED } from '../seed';

/** One write of a caller, on the records that each way of writing has of its own. */
export interface Request {
  op: 'insert' | 'update';
  table: RequestTable;
  /** Columns beside those that place the record. What is undefined is absent. */
  values: Record<string, unknown>;
}

export type RequestTable = Extract<
  SyncedTable,
  'projects' | 'milestones' | 'tasks' | 'patterns' | 'best_practices' | 'activity_feed'
>;

const SPACES = ' \t\n\v\f\r\u00a0\u1680\u2003\u2028\u202f\u205f\u3000\ufeff';
const INVISIBLE =
  '\u200b\u200d\u200e\u202e\u2060\u2800\u3164\u115f\uffa0\u00ad\ufe0f\u{e0041}\u180e\u0085\u0001';
const LETTERS = 'aZ09é\u0065\u0301ß任務\u{1f600}\u{10ffff}\uff5e\ue000-_%"\'\\';
const of = (characters: string) => fc.constantFrom(...characters);
const textOf = (characters: string, max: number) => fc.string({ unit: of(characters), maxLength: max });

const wrongType = fc.constantFrom<unknown>(null, 0, 1.5, true, [], {}, ['a'], { a: 1 });

function line(max: number): fc.Arbitrary<unknown> {
  const long = fc
    .tuple(
      fc.constantFrom(max - 1, max, max + 1),
      fc.constantFrom('x', 'é', '\u{1f600}'),
      fc.constantFrom('', ' '),
    )
    .map(([length, letter, space]) => space + letter.repeat(length) + space);
  return fc.oneof(
    { weight: 6, arbitrary: textOf(LETTERS, 12) },
    { weight: 4, arbitrary: textOf(LETTERS + SPACES, 8) },
    { weight: 2, arbitrary: textOf(SPACES + INVISIBLE, 6) },
    { weight: 2, arbitrary: textOf(LETTERS + INVISIBLE, 6) },
    { weight: 1, arbitrary: long },
    { weight: 1, arbitrary: wrongType },
  );
}

const prose = fc.oneof(
  { weight: 6, arbitrary: textOf(LETTERS + SPACES + INVISIBLE, 12) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('x'.repeat(100_000), 'x'.repeat(100_001), '\u{1f600}'.repeat(100_000)),
  },
  { weight: 1, arbitrary: wrongType },
);

function oneOf(values: readonly string[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: fc.constantFrom(...values).map((value) => ` ${value}\n`) },
    { weight: 1, arbitrary: fc.constantFrom('', 'Todo', 'unknown', 'x'.repeat(70)) },
    { weight: 1, arbitrary: wrongType },
  );
}

const YEARS = ['0000', '0001', '0099', '1969', '2024', '2026', '9999', '10000', '-0001', '+002026'];
const CLOCKS = [
  '00:00',
  '00:00:00',
  '10:59:59.999',
  '11:00:00',
  '12:00:00.000',
  '12:00',
  '23:59:59',
  '24:00',
  '23:59:60',
];
const FRACTIONS = ['', '.1', '.123', '.1239', '.999999999', '.9999999999'];
const ZONES = [
  'Z',
  'z',
  '+00:00',
  '-00:00',
  '+14:00',
  '-12:00',
  '+05:30',
  '+0530',
  '+05',
  '-15:59',
  '+16:00',
  '+05:60',
  '+01:02:03',
  '',
];
const moment = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .date({
        min: new Date('0001-01-03T00:00:00Z'),
        max: new Date('9999-12-28T00:00:00Z'),
        noInvalidDate: true,
      })
      .map((date) => date.toISOString()),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...YEARS),
        fc.constantFrom('01-01', '02-28', '02-29', '02-30', '03-05', '12-31', '13-01'),
        fc.constantFrom('T', ' ', 't', ''),
        fc.constantFrom(...CLOCKS),
        fc.constantFrom(...FRACTIONS),
        fc.constantFrom(...ZONES),
      )
      .map(([year, day, between, clock, fraction, zone]) =>
        between === ''
          ? `${year}-${day}`
          : `${year}-${day}${between}${clock}${clock.length === 8 ? fraction : ''}${zone}`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'tomorrow',
      'now',
      'infinity',
      '-infinity',
      'epoch',
      '20260301',
      '2026-060',
      'J2451187',
      '1 March 2026',
      '2026-03-01T10:00 Europe/Berlin',
      '2026-03-01 BC',
      ' 2026-03-01',
      '',
    ),
  },
  { weight: 1, arbitrary: wrongType },
);

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom<unknown>(
    0,
    -0,
    1,
    5e-324,
    1.7976931348623157e308,
    0.1 + 0.2,
    1e21,
    1e-7,
    null,
    '1',
    true,
    [],
    {},
  ),
);

const OWN_KIND = 'aB3dE6gH9jK2mN5p';
const ids = fc.oneof(
  { weight: 2, arbitrary: fc.uuid() },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      '11111111-1111-1111-1111-111111111111',
      OWN_KIND,
      '{11111111-1111-1111-1111-111111111111}',
      '11111111111111111111111111111111',
      '',
      'nobody',
      null,
      7,
      {},
    ),
  },
);
const person = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.values(SEED.users)) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values(SEED.users)).map((id) => id.toUpperCase()) },
  // Devices and the remote service alone refuse who is no member; no id of a person is a member's by chance.
  { weight: 2, arbitrary: ids.filter((id) => !isUuid(id)) },
);

const json = fc.oneof(
  { weight: 6, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      null,
      '',
      0,
      -0,
      1e300,
      5e-324,
      { b: 1, a: { d: 2, c: -0 } },
      JSON.parse('{"__proto__": {"x": 1}}'),
      'x'.repeat(65_534),
      'x'.repeat(65_535),
      'é'.repeat(32_768),
      Array(13_107).fill(1000),
      Array(9_999).fill(1),
      Array(2_000).fill(1e-300),
      Array(2_000).fill(-1e300),
      Array(431).fill(1e-300),
      Array(432).fill(1e-300),
      { x: Array(2_000).fill(1e300) },
      Array(10_001).fill(1),
      JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`),
      JSON.parse(`${'['.repeat(101)}${']'.repeat(101)}`),
    ),
  },
);

const key = fc.oneof(
  { weight: 4, arbitrary: textOf('AZaz09', 11) },
  { weight: 2, arbitrary: textOf(LETTERS + SPACES, 4) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('FIELD', ' field\n', 'FIELD-42', 'ABCDEFGHIJ', 'ABCDEFGHIJK', 'ı1', 'ſ'),
  },
  { weight: 1, arbitrary: wrongType },
);

const COLUMNS: Record<RequestTable, Record<string, fc.Arbitrary<unknown>>> = {
  projects: {
    name: line(200),
    description: prose,
    overview: prose,
    key,
    tech_stack: json,
    status: oneOf(PROJECT_STATUSES),
  },
  milestones: {
    name: line(200),
    description: prose,
    requirements: prose,
    status: oneOf(MILESTONE_STATUSES),
    target_date: moment,
  },
  tasks: {
    title: line(500),
    description: prose,
    current_stage: oneOf(STANDARD_STAGES),
    status: oneOf(TASK_STATUSES),
    priority: oneOf(TASK_PRIORITIES),
    assignee_id: person,
    sort_order: number,
    completion_date: moment,
    // An id of WatermelonDB's own kind names a record on a device, and is never sent: to the server it is no id.
    workflow_id: fc.oneof(
      fc.constant(STANDARD_WORKFLOW_ID),
      ids.filter((id) => id !== OWN_KIND),
    ),
  },
  patterns: { name: line(200), description: prose, pattern_type: line(64), content: json },
  best_practices: { name: line(200), description: prose, category: line(64), content: json },
  activity_feed: {
    activity_type: fc.oneof(
      fc.constantFrom<unknown>(
        'comment',
        'code_reviewed',
        ' comment',
        'Comment',
        '',
        'a'.repeat(64),
        'a'.repeat(65),
        'é',
        null,
        5,
      ),
      textOf('ab_1', 6),
    ),
    details: json,
  },
};

/** Values of sound requests, in which one column at most is random: so that a refusal has one reason. */
const SOUND: Record<RequestTable, Record<string, unknown>> = {
  projects: { name: 'Project' },
  milestones: { name: 'Milestone' },
  tasks: { title: 'Task' },
  patterns: { name: 'Pattern' },
  best_practices: { name: 'Practice' },
  activity_feed: { activity_type: 'comment', details: {} },
};

/** Columns that only updates take. */
const OF_UPDATES = ['completion_date'];

function requestOf(table: RequestTable): fc.Arbitrary<Request> {
  const columns = Object.entries(COLUMNS[table]);
  const one = fc
    .constantFrom(...columns)
    .chain(([name, value]) => value.map((given) => [name, given] as const));
  return fc
    .tuple(fc.constantFrom('insert' as const, 'update' as const), one, fc.boolean())
    .map(([wanted, [name, value], isAbsent]) => {
      const op = table === 'activity_feed' || !OF_UPDATES.includes(name) ? wanted : 'update';
      // Services let the status follow a stage that is given without one (T1); sync_push takes what it is sent.
      const follows = name === 'current_stage' ? { status: 'in_progress' } : {};
      if (table === 'activity_feed' || op === 'insert') {
        // Services put a new task last that is given no place (N10); sync_push stores what it is sent.
        const placed = table === 'tasks' ? { sort_order: 1 } : {};
        const values: Record<string, unknown> = { ...SOUND[table], ...placed, ...follows, [name]: value };
        // Now and then a column that has to be given is not.
        if (isAbsent && name in SOUND[table] && value === null) delete values[name];
        return { op: 'insert' as const, table, values };
      }
      return { op, table, values: { ...follows, [name]: value } };
    });
}

export const requests: fc.Arbitrary<Request> = fc.oneof(
  { weight: 2, arbitrary: requestOf('projects') },
  { weight: 4, arbitrary: requestOf('milestones') },
  { weight: 6, arbitrary: requestOf('tasks') },
  { weight: 2, arbitrary: requestOf('patterns') },
  { weight: 1, arbitrary: requestOf('best_practices') },
  { weight: 2, arbitrary: requestOf('activity_feed') },
);

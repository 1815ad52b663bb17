/** Values that reach `sync_push`: by the same rules as on devices, and only those that a change sends. */

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { canonicalDay, canonicalTime, isBlank, jsonBytes } from '@/core/text';
import { type Column, columnsOf, SYNCED_TABLES } from '@/domain/schema';
import { NORMAL_FORMS } from '@/domain/values';
import { openDatabase, type TestDatabase } from '../../support/database';
import { createTeam, type Team } from '../../support/syncUser';

let database: TestDatabase;
let team: Team;
beforeAll(async () => {
  database = await openDatabase();
  team = await createTeam(database);
});
afterAll(() => database?.close());

/** Runs a function of the database on many values at once. */
async function each<T>(call: string, values: readonly Json[]): Promise<T[]> {
  // JSON has no empty list of rows, and a text in it may be anything.
  const rows = await database.query<{ result: T }>(
    `select ${call} as result from jsonb_array_elements($1::jsonb) with ordinality v (value, n) order by n`,
    [JSON.stringify(values)],
  );
  return rows.map(({ result }) => result);
}

const stored = async (table: string, id: string) =>
  (
    await database.query<Record<string, Json>>(
      `select to_jsonb(t) as row from public.${table} t where id = $1`,
      [id],
    )
  )[0]?.row as Record<string, Json>;

const milestone = (values: Record<string, Json>) =>
  team.make.insert('milestones', { project_id: team.project, name: 'M', ...values });

describe('SQL and devices', () => {
  it('name the same kind of value for each column', async () => {
    const kindOf = (name: string, { kind, isDay, isKey }: Column) => {
      if (isKey) return 'key';
      if (kind === 'text') return name === 'activity_type' ? 'text' : 'line';
      if (kind === 'prose') return 'text';
      if (kind === 'ref') return 'any';
      return isDay ? 'day' : kind;
    };
    const columns = SYNCED_TABLES.flatMap((table) =>
      Object.entries(columnsOf(table)).filter(([, { serverSet }]) => !serverSet),
    );
    const kinds = await each(
      "convoy.kind_of(value #>> '{}')",
      columns.map(([name]) => name),
    );
    expect(kinds).toEqual(columns.map(([name, column]) => kindOf(name, column)));
  });

  it('trim alike, and see the same texts as blank', async () => {
    const points = fc.oneof(
      fc.integer({ min: 1, max: 0x3200 }),
      fc.integer({ min: 0xf900, max: 0x10ffff }),
      fc.constantFrom(0x20, 0x85, 0xa0, 0x180e, 0x200b, 0x2028, 0x3164, 0xfeff, 0xffa0, 0xe0fff, 0xe1000),
    );
    const every = Array.from({ length: 0x3200 }, (_, at) => String.fromCodePoint(at + 1));
    const texts = [
      ...every,
      ...fc.sample(
        fc.array(points, { maxLength: 4 }).map((some) => String.fromCodePoint(...some)),
        2_000,
      ),
    ];
    expect(await each("convoy.is_blank(value #>> '{}')", texts)).toEqual(texts.map(isBlank));
    expect(await each("convoy.trimmed(value #>> '{}')", texts)).toEqual(texts.map(NORMAL_FORMS.line));
  });

  it('read the same times and days', async () => {
    const part = (...parts: string[]) => fc.constantFrom(...parts);
    const texts = fc.sample(
      fc
        .tuple(
          part('0000', '0001', '2026', '9999', '10000', '26'),
          part('-01-01', '-02-29', '-03-05', '-12-31', '-1-1', '-13-01'),
          part(
            '',
            'T00:00Z',
            'T10:59:59.9999Z',
            't11:00:00z',
            ' 23:59:59.123456789+14:00',
            'T24:00Z',
            'T23:59:60Z',
            'T08:00',
            'T08:00:00-15:59',
            'T08:00+16:00',
            'T00:00-0030',
            'T00:30+01',
          ),
        )
        .map((parts) => parts.join('')),
      1_000,
    );
    const iso = (call: string) => `to_char(${call} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
    await database.query("set timezone = 'UTC'");
    expect(await each(iso("convoy.moment_of(value #>> '{}')"), texts)).toEqual(texts.map(canonicalTime));
    expect(await each(iso("convoy.day_of(convoy.moment_of(value #>> '{}'))"), texts)).toEqual(
      texts.map(canonicalDay),
    );
  });

  it('count the same bytes of JSON', async () => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(1e21, 1e-7, 1e20, 1e-6, 5e-324, -1.5e300),
    );
    const value = fc.oneof(
      fc.jsonValue(),
      numbers,
      fc.array(numbers),
      fc.dictionary(fc.string(), fc.oneof(numbers, fc.array(fc.jsonValue()))),
    );
    const values = fc
      .sample(value, 500)
      .map((one) => JSON.parse(JSON.stringify(one)) as Json)
      // PostgreSQL stores no NUL, and keeps one of several equal keys.
      .filter((one) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(one)));
    const counted = await each('convoy.sent_bytes(value)::integer', values);
    expect(counted).toEqual(values.map(jsonBytes));
  });
});

describe('a value that is stored in another form than it was sent', () => {
  it.each([
    [{ name: ' M\n' }, { name: 'M' }],
    [{ status: ' active ' }, { status: 'active' }],
    [{ target_date: '2026-03-01T00:00:00Z' }, { target_date: '2026-03-01T12:00:00+00:00' }],
    [{ target_date: '2026-03-06T07:59:59Z' }, { target_date: '2026-03-05T12:00:00+00:00' }],
  ])('%j is told to its device, as an insert and as an update (U14)', async (sent, expected) => {
    const made = milestone(sent);
    const inserted = await team.owner.push([made]);
    expect(inserted.outcomes).toMatchObject([{ outcome: 'applied' }]);
    expect(inserted.effects.rows.milestones?.id).toEqual([made.id]);
    expect(await stored('milestones', made.id)).toMatchObject(expected);

    const plain = milestone({});
    await team.owner.push([plain]);
    const { revision } = await stored('milestones', plain.id);
    const updated = await team.owner.push([team.make.update('milestones', plain.id, Number(revision), sent)]);
    expect(updated.outcomes).toMatchObject([{ outcome: 'applied' }]);
    expect(updated.effects.rows.milestones?.id).toEqual([plain.id]);
    expect(await stored('milestones', plain.id)).toMatchObject(expected);
  });

  it('is equal to itself when it is inserted again (U9)', async () => {
    const made = milestone({ name: ' M ', target_date: '2026-03-06T07:59:59Z' });
    await team.owner.push([made]);
    expect((await team.owner.push([made])).outcomes).toMatchObject([{ outcome: 'applied' }]);
  });

  it('that devices send as it is stored costs no row of the answer', async () => {
    const made = milestone({
      status: 'active',
      target_date: '2026-03-05T12:00:00.000Z',
    });
    expect((await team.owner.push([made])).effects.rows).toEqual({});
  });
});

describe('a value that cannot be stored', () => {
  it.each<[string, Record<string, Json>, string]>([
    ['milestones', { name: '\u200b\u3164' }, 'name'],
    ['milestones', { name: 5 }, 'name'],
    ['milestones', { description: {} }, 'description'],
    ['milestones', { target_date: '12026-03-05' }, 'target_date'],
    ['milestones', { target_date: 'tomorrow' }, 'target_date'],
    ['milestones', { target_date: '0001-01-01T10:59:59Z' }, 'target_date'],
    ['tasks', { title: '\u2800' }, 'title'],
    ['tasks', { current_stage: null }, 'current_stage'],
    ['tasks', { sort_order: '1' }, 'sort_order'],
    ['tasks', { completion_date: '2026-03-01T10:00' }, 'completion_date'],
  ])('of %s, %j, is refused with its column (U12)', async (table, values, column) => {
    const id = table === 'tasks' ? team.task : team.milestone;
    const change = team.make.update(table as 'tasks', id, null, values);
    expect(await team.owner.pushOne(change)).toMatchObject({
      outcome: 'rejected',
      code: 'invalid_value',
      column,
    });
  });

  it('and is there since before its rule leaves the rest of its row to be edited (U12)', async () => {
    const id = randomUUID();
    await database.query(
      `insert into public.tasks (id, workspace_id, milestone_id, title, assignee_id) values ($1, $2, $3, $4, $5)`,
      [id, team.workspace, team.milestone, '\u200b', randomUUID()],
    );
    const edit = team.make.update('tasks', id, null, { description: 'edited', sort_order: 2 });
    expect(await team.owner.pushOne(edit)).toMatchObject({ outcome: 'applied' });
    // Nor does it matter that the value is sent once more as it is.
    const { assignee_id = null } = await stored('tasks', id);
    const again = team.make.update('tasks', id, null, { assignee_id, description: 'again' });
    expect(await team.owner.pushOne(again)).toMatchObject({ outcome: 'applied' });
  });
});

describe('a person whom a task names', () => {
  it.each(['assignee_id'])(
    'as %s may have left, or have joined after the backup that the server was put back to, and is an id (U4)',
    async (column) => {
      const naming = (id: string) => team.make.update('tasks', team.task, null, { [column]: id });
      expect(await team.owner.pushOne(naming(team.editor.id))).toMatchObject({ outcome: 'applied' });
      expect(await team.owner.pushOne(naming(randomUUID()))).toMatchObject({ outcome: 'applied' });
      expect(await team.owner.pushOne(naming('aB3dE6gH9jK2mN5p'))).toMatchObject({
        outcome: 'rejected',
        code: 'invalid_value',
        column,
      });
    },
  );
});

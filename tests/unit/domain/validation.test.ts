import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ValidationError } from '@/core/errors';
import type { Result } from '@/core/result';
import { canonicalTime, jsonBytes, storableJson } from '@/core/text';
import { SYNCED_TABLES } from '@/domain/schema';
import {
  validateActivityType,
  validateChanges,
  validateId,
  validateInsert,
  validateStage,
} from '@/domain/validation';

const MILESTONE = '01900000-0000-7000-8000-000000000001';

function codeOf(result: Result<unknown, ValidationError>): string {
  return result.ok ? 'ok' : `${result.error.field}:${result.error.code}`;
}

function taken<T>(result: Result<T, ValidationError>): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('validateInsert', () => {
  it('fills in defaults, and null for optional columns', () => {
    expect(taken(validateInsert('tasks', { milestone_id: MILESTONE, title: ' Ship it ' }))).toEqual({
      milestone_id: MILESTONE,
      parent_task_id: null,
      workflow_id: null,
      title: 'Ship it',
      description: null,
      current_stage: 'PLAN',
      status: 'todo',
      priority: 'medium',
      assignee_id: null,
      sort_order: 0,
      completion_date: null,
    });
  });

  it('never returns the same default object twice', () => {
    const one = taken(validateInsert('patterns', { name: 'a' }));
    (one.content as Record<string, unknown>).changed = true;
    expect(taken(validateInsert('patterns', { name: 'b' })).content).toEqual({});
  });

  it.each([
    [{ title: 'x' }, 'milestone_id:required'],
    [{ milestone_id: MILESTONE }, 'title:required'],
    [{ milestone_id: MILESTONE, title: ' \n\t' }, 'title:required'],
    [{ milestone_id: MILESTONE, title: null }, 'title:required'],
    [{ milestone_id: MILESTONE, title: 7 }, 'title:bad_value'],
    [{ milestone_id: 'nowhere', title: 'x' }, 'milestone_id:bad_id'],
    [{ milestone_id: MILESTONE, title: 'x'.repeat(501) }, 'title:too_long'],
    [{ milestone_id: MILESTONE, title: 'a\0b' }, 'title:bad_character'],
    [{ milestone_id: MILESTONE, title: 'half \ud83d' }, 'title:bad_character'],
    [{ milestone_id: MILESTONE, title: 'x', status: 'later' }, 'status:bad_value'],
    [{ milestone_id: MILESTONE, title: 'x', sort_order: Number.NaN }, 'sort_order:bad_value'],
    [{ milestone_id: MILESTONE, title: 'x', claimed_until: 'tomorrow' }, 'claimed_until:unknown_field'],
    [{ milestone_id: MILESTONE, title: 'x', revision: 4 }, 'revision:unknown_field'],
    [{ milestone_id: MILESTONE, title: 'x', workspace_id: MILESTONE }, 'workspace_id:unknown_field'],
    [JSON.parse(`{"milestone_id":"${MILESTONE}","title":"x","__proto__":{}}`), '__proto__:unknown_field'],
  ])('refuses a task %j', (values, expected) => {
    expect(codeOf(validateInsert('tasks', values))).toBe(expected);
  });

  it('accepts text of exactly the longest length, measured after trimming', () => {
    const title = 'x'.repeat(500);
    expect(taken(validateInsert('tasks', { milestone_id: MILESTONE, title: `  ${title} ` })).title).toBe(
      title,
    );
  });

  it('keeps long text unchanged, white space included', () => {
    const description = '  - one\n  - two\n\n';
    expect(taken(validateInsert('workspaces', { name: 'x', description })).description).toBe(description);
  });

  it('refuses columns that the server sets', () => {
    expect(codeOf(validateInsert('activity_feed', { activity_type: 'comment', actor_id: MILESTONE }))).toBe(
      'actor_id:unknown_field',
    );
  });

  it('measures JSON in UTF-8 bytes', () => {
    const fits = { text: 'é'.repeat((65_536 - 11) / 2) };
    expect(jsonBytes(fits)).toBeLessThanOrEqual(65_536);
    expect(codeOf(validateInsert('patterns', { name: 'x', content: fits }))).toBe('ok');
    const tooLong = { text: `${fits.text}é` };
    expect(codeOf(validateInsert('patterns', { name: 'x', content: tooLong }))).toBe('content:too_long');
    // PostgreSQL writes each of these numbers as 302 bytes.
    const tiny = (count: number) =>
      validateInsert('patterns', { name: 'x', content: Array(count).fill(1e-300) });
    expect(tiny(431).ok).toBe(true);
    expect(codeOf(tiny(432))).toBe('content:too_long');
  });

  it.each([
    [{ a: Number.POSITIVE_INFINITY }, 'content:bad_value'],
    [{ a: ['\ud800'] }, 'content:bad_character'],
    [{ 'a\0': 1 }, 'content:bad_character'],
    [{ a: new Date(0) }, 'content:bad_value'],
    [{ a: [undefined] }, 'content:bad_value'],
    [{ a: 1n }, 'content:bad_value'],
    [null, 'content:required'],
  ])('refuses the JSON %o', (content, expected) => {
    expect(codeOf(validateInsert('patterns', { name: 'x', content }))).toBe(expected);
  });

  it('refuses JSON that refers to itself', () => {
    const loop: Record<string, unknown> = {};
    loop.again = loop;
    expect(codeOf(validateInsert('patterns', { name: 'x', content: loop }))).toBe('content:bad_value');
  });
});

describe('stages of a workflow', () => {
  const stage = (name: string, order: number) => ({ name, description: '', order, is_checkpoint: false });

  it.each([
    [[], 'bad_value'],
    ['PLAN', 'bad_value'],
    [[stage('A', 1), stage('A', 2)], 'bad_value'],
    [[stage('A', 1), stage('B', 1)], 'bad_value'],
    [[stage(' ', 1)], 'bad_value'],
    [[{ ...stage('A', 1), colour: 'red' }], 'unknown_field'],
  ])('refuses %j', (stages, code) => {
    expect(codeOf(validateInsert('workflows', { name: 'x', stages }))).toBe(`stages:${code}`);
  });

  it('fills in the description and is_checkpoint', () => {
    const values = taken(validateInsert('workflows', { name: 'x', stages: [{ name: ' A ', order: 1 }] }));
    expect(values.stages).toEqual([stage('A', 1)]);
  });
});

describe('validateChanges', () => {
  it('returns only the given columns, and takes undefined as unchanged', () => {
    expect(taken(validateChanges('tasks', { title: ' x ', status: undefined, description: null }))).toEqual({
      title: 'x',
      description: null,
    });
  });

  it('refuses null where a value is required', () => {
    expect(codeOf(validateChanges('tasks', { title: null }))).toBe('title:required');
    expect(codeOf(validateChanges('tasks', { milestone_id: null }))).toBe('milestone_id:required');
  });
});

describe('ids, activity types and stages', () => {
  it('takes UUIDs in any case and ids of WatermelonDB as they are', () => {
    expect(taken(validateId('id', MILESTONE.toUpperCase()))).toBe(MILESTONE);
    expect(taken(validateId('id', 'aB3dE5gH7jK9mN1p'))).toBe('aB3dE5gH7jK9mN1p');
    expect(codeOf(validateId('id', 'aB3d'))).toBe('id:bad_id');
    expect(codeOf(validateId('id', ''))).toBe('id:required');
    expect(codeOf(validateId('id', { toString: () => MILESTONE }))).toBe('id:bad_id');
  });

  it('takes activity types of small letters, digits and underscores', () => {
    expect(taken(validateActivityType('code_reviewed_2'))).toBe('code_reviewed_2');
    for (const type of ['Comment', '2nd', 'a b', 'A'.repeat(65), 7]) {
      expect(codeOf(validateActivityType(type))).toBe('activity_type:bad_value');
    }
    expect(codeOf(validateActivityType('a'.repeat(65)))).toBe('activity_type:too_long');
  });

  it('knows the stages of the workflow', () => {
    const workflow = {
      name: 'Short',
      stages: [
        { name: 'DONE', description: '', order: 2, is_checkpoint: false },
        { name: 'DO', description: '', order: 1, is_checkpoint: false },
      ],
    };
    expect(taken(validateStage(workflow, ' DO '))).toBe('DO');
    const refused = validateStage(workflow, 'PLAN');
    expect(codeOf(refused)).toBe('current_stage:unknown_stage');
    expect(refused.ok ? '' : refused.error.message).toContain('DO, DONE');
    expect(taken(validateStage(null, 'ANYTHING'))).toBe('ANYTHING');
  });
});

describe('canonical times', () => {
  it.each([
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T09:30Z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01 09:30:00.123456+02', '2026-03-01T07:30:00.123Z'],
    ['2026-03-01T23:30:00-01:30', '2026-03-02T01:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['2026-02-29', null],
    ['2026-02-30T00:00:00Z', null],
    ['2026-01-01T24:00:00Z', null],
    ['2026-01-01T00:00:00', null],
    ['0001-01-01T00:00:00+01:00', null],
    ['1 March 2026', null],
    [1_700_000_000_000, null],
  ])('%s is %s', (value, expected) => {
    expect(canonicalTime(value)).toBe(expected);
  });

  it('leaves the output of Date unchanged', () => {
    const range = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z') };
    fc.assert(
      fc.property(fc.date({ ...range, noInvalidDate: true }), (date) => {
        expect(canonicalTime(date.toISOString())).toBe(date.toISOString());
      }),
    );
  });
});

describe('properties', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 300 });
  const brokenText = fc
    .array(fc.integer({ min: 0, max: 0xffff }))
    .map((units) => String.fromCharCode(...units));

  it('every accepted value can be stored: no NUL, well-formed, not longer than the column', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), (name) => {
        const checked = validateInsert('workspaces', { name, description: name });
        if (!checked.ok) return;
        for (const text of [checked.value.name, checked.value.description] as string[]) {
          expect(text.includes('\0')).toBe(false);
          expect(text).toBe(
            new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text)),
          );
        }
        expect((checked.value.name as string).trim()).toBe(checked.value.name);
      }),
    );
  });

  it('validating twice changes nothing', () => {
    const values = fc.record(
      {
        milestone_id: fc.uuid(),
        title: anyText,
        description: fc.option(anyText),
        sort_order: fc.double(),
      },
      { requiredKeys: ['milestone_id', 'title'] },
    );
    fc.assert(
      fc.property(values, (given) => {
        const once = validateInsert('tasks', given);
        if (once.ok) expect(validateInsert('tasks', once.value)).toEqual(once);
      }),
    );
  });

  it('accepted JSON survives being written as text and read back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = storableJson(value);
        if (copy.ok) expect(JSON.parse(JSON.stringify(copy.value))).toEqual(copy.value);
        else expect(copy.error).toBe('character');
      }),
    );
  });

  it('never throws, for any input', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SYNCED_TABLES),
        fc.object(),
        fc.anything(),
        (table, object, anything) => {
          for (const field of ['name', 'title', 'stages', 'content', 'details', 'target_date', 'role']) {
            validateInsert(table, { ...object, [field]: anything });
            validateChanges(table, { [field]: anything });
          }
          validateId('id', anything);
          validateStage(null, anything);
          validateActivityType(anything);
        },
      ),
    );
  });
});

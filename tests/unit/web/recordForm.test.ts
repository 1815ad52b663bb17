import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import {
  changesOf,
  clashesOf,
  type FormField,
  keepMine,
  type RecordForm,
  shownIn,
  takeTheirs,
  UNTOUCHED,
  withTyped,
} from '@/web/ui/recordForm';

const TITLE: FormField = { name: 'title', kind: 'text', required: true };
const DESCRIPTION: FormField = { name: 'description', kind: 'prose' };
const STATUS: FormField = { name: 'status', kind: 'select', required: true };
const FIELDS = [TITLE, DESCRIPTION, STATUS];
const OPENED: Record<string, Json> = {
  title: 'As read',
  description: null,
  status: 'todo',
  current_stage: 'PLAN',
  completion_date: null,
};

const typed = (form: RecordForm, field: FormField, text: string, present = OPENED) =>
  withTyped(form, 'tasks', present, field, text);
const clashes = (form: RecordForm, present: Record<string, Json>) =>
  clashesOf(form, 'tasks', present, FIELDS);

describe('a form over a record', () => {
  it('changes nothing that its person has not changed', () => {
    expect(changesOf(UNTOUCHED, OPENED, FIELDS)).toEqual({});
    const back = typed(typed(UNTOUCHED, TITLE, 'Mine'), TITLE, 'As read');
    expect(back).toEqual(UNTOUCHED);
    expect(changesOf(typed(UNTOUCHED, DESCRIPTION, '  '), OPENED, FIELDS)).toEqual({ description: null });
  });

  it('tells of what others have changed in the columns of a changed field, and of nothing else', () => {
    const form = typed(typed(UNTOUCHED, TITLE, 'Mine'), STATUS, 'blocked');
    expect(clashes(form, { ...OPENED, description: 'Theirs' })).toEqual([]);
    expect(clashes(form, { ...OPENED, title: 'Theirs', current_stage: 'IMPLEMENT' })).toEqual([
      { field: 'title', columns: ['title'] },
      { field: 'status', columns: ['current_stage'] },
    ]);
    expect(clashes(form, { ...OPENED, title: 'Mine' })).toEqual([]);
  });

  it('keeps what is typed until its person takes what others wrote', () => {
    const theirs = { ...OPENED, title: 'Theirs', description: 'Theirs' };
    const form = typed(UNTOUCHED, TITLE, 'Mine');
    expect(shownIn(form, theirs, TITLE)).toBe('Mine');
    expect(shownIn(form, theirs, DESCRIPTION)).toBe('Theirs');
    const kept = keepMine(form, 'tasks', theirs, 'title');
    expect(clashes(kept, theirs)).toEqual([]);
    expect(kept.seen).toEqual({ title: 'Theirs' });
    expect(changesOf(kept, theirs, FIELDS)).toEqual({ title: 'Mine' });
    expect(clashes(kept, { ...theirs, title: 'Theirs again' })).toEqual([
      { field: 'title', columns: ['title'] },
    ]);
    const taken = takeTheirs(form, 'tasks', 'title');
    expect(taken).toEqual(UNTOUCHED);
    expect(shownIn(taken, theirs, TITLE)).toBe('Theirs');
  });

  it('never loses what was typed, nor writes over a value that its person was not shown', () => {
    const text = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ what: fc.constant('type' as const), field: fc.constantFrom(...FIELDS), text }),
      fc.record({ what: fc.constant('arrive' as const), field: fc.constantFrom(...FIELDS), text }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let form = UNTOUCHED;
        let present: Record<string, Json> = { ...OPENED, title: 'a', status: 'a', description: 'a' };
        const last: Record<string, string> = {};
        const shown: Record<string, Json> = { ...present };
        for (const { what, field, text: value } of steps) {
          if (what === 'type') {
            if (!(field.name in form.typed)) shown[field.name] = present[field.name] ?? null;
            form = typed(form, field, value, present);
            last[field.name] = value;
          } else present = { ...present, [field.name]: value };
        }
        const asked = new Set(clashes(form, present).map((clash) => clash.field));
        for (const [name, value] of Object.entries(changesOf(form, present, FIELDS))) {
          expect(value).toBe(last[name]);
          if (name !== 'status' && !asked.has(name)) expect(present[name]).toBe(shown[name]);
        }
      }),
    );
  });
});

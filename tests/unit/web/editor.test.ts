import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stateOf } from '@/web/shared/editor/codeMirror';

const text = fc
  .array(fc.oneof(fc.constantFrom('\n', '\r\n', '\r', '\t', ' ', '﻿', '‮'), fc.string({ unit: 'grapheme' })))
  .map((parts) => parts.join(''));

it('the editor gives a text back as it was, whatever its ends of lines', () => {
  fc.assert(
    fc.property(text, (typed) => {
      expect(stateOf(typed).doc.toString()).toBe(typed);
    }),
  );
});

it('an edit changes nothing but what was edited', () => {
  fc.assert(
    fc.property(text, text, (typed, more) => {
      const state = stateOf(typed);
      const { newDoc } = state.update({
        changes: { from: state.doc.length, insert: state.toText(more) },
      });
      expect(newDoc.toString()).toBe(typed + more);
    }),
  );
});

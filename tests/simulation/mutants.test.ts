import { expect, it } from 'vitest';
import { MUTANTS } from './mutants';
import { misplaced } from './planted';

it('each edit of a planted bug matches once', () => {
  const faults = MUTANTS.flatMap((mutant) => misplaced(mutant).map((reason) => `${mutant.name}: ${reason}`));
  expect(faults).toEqual([]);
  const edit = { find: 'no such words', replace: '' };
  expect(misplaced({ edits: [{ file: 'package.json', ...edit }] })).toEqual([
    'edit matches 0 times in package.json',
  ]);
});

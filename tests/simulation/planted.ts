/** A bug that is planted in the code of devices, in the server's SQL, or in both. */

import { readFileSync } from 'node:fs';
import { asReplacement, createdFunction, splitStatements } from '../../scripts/migrations/statements';
import { type Replacement, replacedOnce } from '../support/variant';
import { MUTANTS, type Mutant } from './mutants';

export interface Planted {
  code: readonly Replacement[];
  /** Statements that bring a database of the schema files to where these files, with the bug, would have brought it. */
  sql: readonly string[];
}

export const NOTHING_PLANTED: Planted = { code: [], sql: [] };

/** @returns why a mutant is in no code, one reason for each edit that does not match once; none where it can be planted */
export function misplaced({ edits }: Pick<Mutant, 'edits'>): string[] {
  const texts = new Map<string, string>();
  const reasons: string[] = [];
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? readFileSync(file, 'utf8');
    const matches = text.split(find).length - 1;
    if (matches !== 1) reasons.push(`edit matches ${matches} times in ${file}`);
    texts.set(
      file,
      text.replace(find, () => replace),
    );
  }
  return reasons;
}

/** @param name of the mutant */
export function planted(name: string): Planted {
  const edits = MUTANTS.find((mutant) => mutant.name === name)?.edits;
  if (!edits) throw new Error(`There is no mutant ${name}.`);
  const isSql = ({ file }: Replacement) => file.endsWith('.sql');
  return { code: edits.filter((edit) => !isSql(edit)), sql: edits.filter(isSql).flatMap(changedStatements) };
}

function changedStatements(edit: Replacement): string[] {
  const text = readFileSync(edit.file, 'utf8');
  const known = new Set(splitStatements(text));
  const changed = splitStatements(replacedOnce(text, edit)).filter((statement) => !known.has(statement));
  return changed.map((statement) => {
    if (createdFunction(statement)) return asReplacement(statement);
    if (/^insert into /i.test(statement)) return statement.replace(/;$/, ' on conflict do nothing;');
    throw new Error(`No database is brought from one to the other of these statements:\n${statement}`);
  });
}

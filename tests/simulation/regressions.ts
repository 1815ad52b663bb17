/** Runs that once broke a promise, shrunk, with what they found. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './program';

export interface Regression {
  name: string;
  found: string;
  program: Program;
}

const FOLDER = 'tests/simulation/regressions';

export function readRegressions(): Regression[] {
  return readdirSync(FOLDER)
    .sort()
    .map((file) => ({
      name: file.replace(/\.json$/, ''),
      ...(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Omit<Regression, 'name'>),
    }));
}

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { GENERATED_FILE, generate } from '../../scripts/generate/types';
import { openMigrated } from '../support/template';

it('the generated database types match the migrations', async () => {
  expect(await generate(await openMigrated(false))).toBe(readFileSync(GENERATED_FILE, 'utf8'));
});

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { GENERATED_FILE, generate } from '../../scripts/generate/referenceData';
import { openMigrated } from '../support/template';

it('the reference data of devices without an account matches that of the migrations (D20)', async () => {
  expect(await generate(await openMigrated(false))).toBe(readFileSync(GENERATED_FILE, 'utf8'));
});

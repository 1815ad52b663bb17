import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { GENERATED_FILE, generate } from '../../scripts/generate/referenceData';

it('D20 the reference data that devices without an account have is that of the migrations', async () => {
  expect(await generate()).toBe(readFileSync(GENERATED_FILE, 'utf8'));
});

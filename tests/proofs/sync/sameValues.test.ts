/**
 * A device, the remote service and `sync_push` take the same values, refuse the same, and store the same.
 * `npm run prove:values` compares many more.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Comparison } from '../../support/sameValues/compare';
import { requests } from '../../support/sameValues/requests';

const SEED = 20_260_301;
const REQUESTS = 40;

it.each(['Asia/Kolkata', 'America/New_York'])(
  'with a server in %s, random values are taken, refused, stored and ordered alike in all three ways',
  async (timezone) => {
    const comparison = await Comparison.start(timezone);
    try {
      const given = fc.sample(requests, { seed: SEED + timezone.length, numRuns: REQUESTS });
      expect(await comparison.differences(given)).toEqual([]);
    } finally {
      await comparison.close();
    }
  },
);

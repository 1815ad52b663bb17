import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { lacksFirefox, startFirefox } from '../support/firefox';
import { killBrowsers } from '../support/killedBrowsers';
import { StorageLab } from '../support/storageLab';

describe.skipIf(lacksFirefox)('in Firefox, killed while it writes', () => {
  let lab: StorageLab;
  beforeAll(async () => {
    lab = await StorageLab.start(inject('storagePage'));
  });
  afterAll(() => lab.close());

  it('acknowledged writes survive twenty SIGKILLs of the whole browser (P-DURABLE)', async () => {
    // Two profiles at once: a start takes one core.
    const results = await Promise.all([10, 10].map((kills) => killBrowsers(lab, startFirefox, kills)));
    for (const { acknowledged, lost, twice } of results) {
      expect({ lost, twice }).toEqual({ lost: [], twice: [] });
      expect(acknowledged).toBeGreaterThanOrEqual(10);
    }
  });
});

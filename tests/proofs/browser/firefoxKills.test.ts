import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { lacksFirefox, startFirefox } from '../../support/firefox';
import { killBrowsers } from '../../support/killedBrowsers';
import { StorageLab } from '../../support/storageLab';

describe.skipIf(lacksFirefox)('in Firefox, killed while it writes', () => {
  let lab: StorageLab;
  beforeAll(async () => {
    lab = await StorageLab.start(inject('storagePage'));
  });
  afterAll(() => lab.close());

  // More of them, with `npm run prove:durability -- --only firefox`: each start takes some ten seconds of one core.
  it('acknowledged writes survive three SIGKILLs of the whole browser (P-DURABLE)', async () => {
    const { acknowledged, lost, twice } = await killBrowsers(lab, startFirefox, 3);
    expect({ lost, twice }).toEqual({ lost: [], twice: [] });
    expect(acknowledged).toBeGreaterThanOrEqual(3);
  });
});

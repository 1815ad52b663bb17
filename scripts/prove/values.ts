/**
 * `npm run prove:values`: do a device, the remote service and `sync_push` ever differ about a value? Random requests, written
 * in all three ways against databases with different time zones.
 */

import fc from 'fast-check';
import { Comparison, type Disagreement } from '../../tests/support/sameValues/compare';
import { requests } from '../../tests/support/sameValues/requests';
import { readOptions } from '../support/options';

const { values: flags } = readOptions({
  options: {
    json: { type: 'boolean', default: false },
    /** Requests in all. */
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    zones: { type: 'string', default: 'UTC,Asia/Kolkata,America/New_York,Europe/Berlin,Pacific/Kiritimati' },
  },
});
const CASES = Number(flags.cases);
const ZONES = flags.zones.split(',');
const AT_ONCE = 50;

const found: Disagreement[] = [];
let compared = 0;
for (const [index, zone] of ZONES.entries()) {
  const comparison = await Comparison.start(zone);
  const share = Math.ceil(CASES / ZONES.length);
  const given = fc.sample(requests, { seed: Number(flags.seed) * 1_000 + index, numRuns: share });
  for (let at = 0; at < given.length; at += AT_ONCE) {
    const some = given.slice(at, at + AT_ONCE);
    found.push(...(await comparison.differences(some)));
    compared += some.length;
    if (!flags.json) process.stderr.write(`\r${compared} compared, ${found.length} differ (${zone})   `);
  }
  await comparison.close();
}
if (flags.json) console.log(JSON.stringify({ seed: Number(flags.seed), compared, differ: found.length }));
else {
  console.log();
  for (const one of found.slice(0, 100))
    console.dir(one, { depth: 6, maxStringLength: 120, maxArrayLength: 5 });
  console.log(`${compared} requests, ${found.length} differences; seed ${flags.seed}`);
}
process.exitCode = found.length === 0 ? 0 : 1;

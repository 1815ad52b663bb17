/**
 * `npm run prove:durability`: is an acknowledged write ever lost? Chromium and Firefox are killed with all their
 * processes, tabs that hold the database for others end, and processes on Node die, while they write.
 */

import { readOptions } from '../support/options';
import type { Losses } from './durability/losses';
import { proveNode } from './durability/node';
import { proveFirefox, proveWeb } from './durability/web';

const { values: flags } = readOptions({
  options: {
    json: { type: 'boolean', default: false },
    /** `web`, `firefox` or `node`: only that part. `web` is all browsers. */
    only: { type: 'string' },
    kills: { type: 'string', default: '100' },
    deaths: { type: 'string', default: '20' },
  },
});
const [kills, deaths] = [Number(flags.kills), Number(flags.deaths)];
const wants = (part: string) => flags.only === undefined || flags.only === part;
const say = (line: string) => {
  if (!flags.json) console.log(line);
};

const web = wants('web') ? await proveWeb(kills, deaths, say) : null;
const firefoxAlone = flags.only === 'firefox' ? await proveFirefox(kills, say) : null;
const node = wants('node') ? await proveNode(kills, deaths, say) : null;

/** Every part by its name. */
const parts: Record<string, Losses & Record<string, unknown>> = {};
if (web) {
  const { tabs, firefox, ...chromium } = web;
  parts['Chromium killed'] = chromium;
  parts['Firefox killed'] = { ...firefox };
  for (const [name, { deaths: died, creates, columns, failures }] of Object.entries(tabs)) {
    for (const failure of failures) console.error(`${name}: ${failure}`);
    const common = { deaths: died, failures: failures.length };
    parts[`${name}: creates`] = { ...creates, ...common };
    parts[`${name}: column updates`] = { ...columns, ...common };
  }
}
if (firefoxAlone) parts['Firefox killed'] = { ...firefoxAlone };
if (node) {
  parts['Node: processes killed'] = { ...node.killed };
  parts['Node: two processes'] = { ...node.processes };
  if (node.fullDisk) parts['Node: full disk'] = { ...node.fullDisk };
}

if (flags.json)
  console.log(
    JSON.stringify({ ...web, ...(firefoxAlone && { firefox: firefoxAlone }), ...(node && { node }) }),
  );
else console.table(parts);
const holds = Object.values(parts).every(
  ({ acknowledged, lost, twice, torn = 0, failures = 0 }) =>
    acknowledged > 0 && lost + twice + Number(torn) + Number(failures) === 0,
);
process.exitCode = holds && Object.keys(parts).length > 0 ? 0 : 1;

/**
 * `node scripts/build/runBuilt.mjs <entry> [arguments]`: builds if needed, then runs dist/node/<entry>.js in
 * this very process. A second process, or `a && b` in a shell, would not get the signals sent to npm.
 */

import { fileURLToPath } from 'node:url';
import { ensureBuild } from './ensureBuild.mjs';

const [node = '', , entry = '', ...rest] = process.argv;
if (!ensureBuild()) process.exit(1);
const program = new URL(`../../dist/node/${entry}.js`, import.meta.url);
process.argv = [node, fileURLToPath(program), ...rest];
await import(program.href);

#!/usr/bin/env node
/** The command `convoy`, of a checkout: builds if needed, then runs dist/node/convoy.js in this very process. */

import { ensureBuild } from './ensureBuild.mjs';

if (!ensureBuild()) process.exit(1);
await import(new URL('../../dist/node/convoy.js', import.meta.url).href);

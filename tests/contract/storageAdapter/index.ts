import { joinCases } from './joins';
import { migrationCases } from './migrations';
import { queryCases } from './queries';
import { recordCases } from './records';
import { rowCases } from './rows';
import { sharingCases } from './sharing';

export type { AdapterCase, AdapterHost } from './fixture';

/** All that an adapter of local storage is held to. */
export const storageAdapterCases = [
  ...queryCases,
  ...joinCases,
  ...recordCases,
  ...migrationCases,
  ...rowCases,
  ...sharingCases,
];

/** The app in a next version whose migration fails after it has done a part. */

import { type Bundle, bundled } from './bundled';

const EDITS = [
  {
    file: '/models/schema.ts',
    find: 'LOCAL_SCHEMA_VERSION = 6',
    replace: 'LOCAL_SCHEMA_VERSION = 7',
  },
  {
    file: '/models/migrations.ts',
    find: '  migrations: [\n',
    replace: `  migrations: [{ toVersion: 7, steps: [1, 2].map(() => ({
      type: 'add_columns', table: 'tasks', columns: [{ name: 'risk', type: 'string' }] })) },\n`,
  },
];

export async function buildBrokenUpgrade(): Promise<Bundle> {
  const left = new Set(EDITS);
  const files = await bundled({
    plugins: [
      {
        name: 'broken-upgrade',
        enforce: 'pre',
        transform(code, id) {
          const edit = EDITS.find(({ file }) => id.endsWith(file));
          if (!edit?.find || !code.includes(edit.find)) return null;
          left.delete(edit);
          return code.replace(edit.find, edit.replace);
        },
      },
    ],
  });
  if (left.size > 0) throw new Error(`Not found: ${[...left].map(({ find }) => find).join(', ')}`);
  return files;
}

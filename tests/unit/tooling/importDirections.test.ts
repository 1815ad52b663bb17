/** Proves that the import rules can fail: each case plants a violation in a throw-away tree. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
interface Violation {
  rule: string;
  from: string;
}

/** Writes the files into a tree of their own and lints it with the project's rules. */
function lint(files: Record<string, string>): Violation[] {
  const tree = mkdtempSync(join(tmpdir(), 'convoy-imports-'));
  try {
    for (const file of ['package.json', 'tsconfig.json']) copyFileSync(join(root, file), join(tree, file));
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    const command = join(root, 'node_modules/.bin/depcruise');
    const args = ['--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'src'];
    const { stdout } = spawnSync(command, args, { cwd: tree, encoding: 'utf8' });
    const report = JSON.parse(stdout) as {
      summary: { violations: { rule: { name: string }; from: string }[] };
    };
    return report.summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
  forbidden: { name: string }[];
};
const RULES = forbidden.map(({ name }) => name);
const SYNC = 'src/lib/watermelon/sync';

const LEAF = 'export const leaf = 1;\nexport type Leaf = number;\n';
const NODE_PLATFORM = { 'src/platform/node/index.ts': LEAF };

describe('the import rules', () => {
  it('pass a tree in which every import points down', () => {
    const found = lint({
      ...NODE_PLATFORM,
      'src/core/result.ts': LEAF,
      'src/core/ids.ts':
        "import { v7 } from 'uuid';\nimport type { Leaf } from './result';\nexport const id: Leaf = v7.length;\n",
      'src/lib/supabase/client.ts':
        "export { createClient } from '@supabase/supabase-js';\nexport { leaf } from '@/core/result';\n",
      'src/lib/watermelon/models/task.ts':
        "export { Model } from '@nozbe/watermelondb';\nexport { leaf } from '@/core/result';\n",
      'src/domain/task.ts': "export { leaf } from '@/core/result';\n",
      'src/web/ui/button.tsx': "import 'react';\nexport const button = 1;\n",
      'src/web/tasks/list.tsx': "export { button } from '../ui/button';\n",
      'src/lib/watermelon/sync/pullSync.ts': "export { Model } from '../models/task';\n",
      'src/lib/watermelon/device/compose.ts':
        "export { leaf } from '#platform';\nexport { createClient } from '@/lib/supabase/client';\n",
      'src/lib/watermelon/index.ts':
        "export { leaf } from './device/compose';\nexport { Model } from './sync/pullSync';\n",
      'src/web/main.tsx': "import 'react';\nexport { leaf } from '@/lib/watermelon/index';\n",
      'src/cli/main.ts': "import 'node:fs';\nexport { leaf } from '@/lib/watermelon/index';\n",
    });
    expect(found).toEqual([]);
  });

  const violations: [rule: string, from: string, imported: string, target?: string][] = [
    ['core-is-lowest', 'src/core/plant1.ts', '../lib/watermelon/sync/b', 'src/lib/watermelon/sync/b.ts'],
    ['core-is-pure', 'src/core/plant2.ts', 'node:fs'],
    ['core-packages', 'src/core/plant3.ts', '@supabase/supabase-js'],
    ['domain-on-core', 'src/domain/plant25.ts', '../lib/supabase/b', 'src/lib/supabase/b.ts'],
    ['domain-is-pure', 'src/domain/plant26.ts', 'node:fs'],
    ['domain-packages', 'src/domain/plant27.ts', 'react'],
    ['core-is-lowest', 'src/core/plant28.ts', '../domain/b', 'src/domain/b.ts'],
    ['platform-on-core', 'src/platform/node/plant29.ts', '@/domain/b', 'src/domain/b.ts'],
    [
      'sync-below-device',
      'src/lib/watermelon/sync/plant30.ts',
      '../device/b',
      'src/lib/watermelon/device/b.ts',
    ],
    ['library-below-faces', 'src/lib/watermelon/plant4.ts', '@/web/b', 'src/web/b.ts'],
    ['library-below-faces', 'src/platform/web/plant5.ts', '@/web/b', 'src/web/b.ts'],
    ['library-runs-anywhere', 'src/lib/watermelon/sync/plant6.ts', 'node:path'],
    ['library-not-react', 'src/lib/watermelon/sync/plant7.ts', 'react'],
    ['engine-not-supabase', 'src/lib/watermelon/sync/plant8.ts', '@supabase/supabase-js'],
    ['engine-not-supabase', 'src/lib/watermelon/sync/plant9.ts', '@/lib/supabase/b', 'src/lib/supabase/b.ts'],
    ['engine-not-platform', 'src/lib/watermelon/sync/plant10.ts', '#platform', 'src/platform/node/index.ts'],
    [
      'engine-not-platform',
      'src/lib/watermelon/contextService.ts',
      '#platform',
      'src/platform/node/index.ts',
    ],
    ['models-below-all', 'src/lib/watermelon/models/plant11.ts', '../sync/b', 'src/lib/watermelon/sync/b.ts'],
    ['models-below-all', 'src/lib/watermelon/models/p12.ts', '../database', 'src/lib/watermelon/database.ts'],
    ['remote-on-domain', 'src/lib/supabase/plant13.ts', '@/lib/watermelon/b', 'src/lib/watermelon/b.ts'],
    ['watermelon-in-one-place', 'src/web/plant14.ts', '@nozbe/watermelondb'],
    ['platform-on-core', 'src/platform/node/plant15.ts', '@/lib/supabase/b', 'src/lib/supabase/b.ts'],
    ['platforms-apart', 'src/platform/web/plant16.ts', '../node/index', 'src/platform/node/index.ts'],
    ['node-not-web', 'src/platform/node/plant17.ts', '../web/b', 'src/platform/web/b.ts'],
    ['web-not-node', 'src/platform/web/plant18.ts', 'node:fs'],
    ['local-drivers-in-platform', 'src/cli/plant19.ts', 'better-sqlite3'],
    ['server-packages-in-server', 'src/web/plant20.ts', 'pg'],
    ['faces-apart', 'src/cli/plant21.ts', '@/mcp/b', 'src/mcp/b.ts'],
    ['machine-below-faces', 'src/machine/plant25.ts', '@/cli/b', 'src/cli/b.ts'],
    ['machine-not-in-browsers', 'src/web/plant26.ts', '@/machine/b', 'src/machine/b.ts'],
    ['command-line-starts-others', 'src/cli/commands/mcp.ts', '@/mcp/b', 'src/mcp/b.ts'],
    ['src-stands-alone', 'src/core/plant22.ts', '../../tests/b', 'tests/b.ts'],
    ['no-dev-dependency', 'src/cli/plant23.ts', 'fast-check'],
    ['no-unresolvable', 'src/core/plant24.ts', './nowhere'],
    // Folders that stand on a ladder: each imports the one above it, and those beside each other one another.
    ['sync-records', `${SYNC}/records/plant.ts`, '../merge/b', `${SYNC}/merge/b.ts`],
    ['sync-merge', `${SYNC}/merge/plant.ts`, '../state/b', `${SYNC}/state/b.ts`],
    ['sync-state', `${SYNC}/state/plant.ts`, '../setAside/b', `${SYNC}/setAside/b.ts`],
    ['sync-setAside', `${SYNC}/setAside/plant.ts`, '../pull/b', `${SYNC}/pull/b.ts`],
    ['sync-pull', `${SYNC}/pull/plant.ts`, '../push/b', `${SYNC}/push/b.ts`],
    ['sync-push', `${SYNC}/push/plant.ts`, '../synchronize', `${SYNC}/synchronize.ts`],
    ['web-ui', 'src/web/ui/plant.ts', '../hooks/b', 'src/web/hooks/b.ts'],
    ['web-actions', 'src/web/actions/plant.ts', '../hooks/b', 'src/web/hooks/b.ts'],
    ['web-agents', 'src/web/agents/plant.ts', '../sync/b', 'src/web/sync/b.ts'],
    ['web-inbox', 'src/web/inbox/plant.ts', '../app/b', 'src/web/app/b.ts'],
    ['web-hooks', 'src/web/hooks/plant.ts', '../shared/b', 'src/web/shared/b.ts'],
    ['web-shared', 'src/web/shared/plant.ts', '../status/b', 'src/web/status/b.ts'],
    ['web-deleted', 'src/web/deleted/plant.ts', '../tasks/b', 'src/web/tasks/b.ts'],
    ['web-knowledge', 'src/web/knowledge/plant.ts', '../deleted/b', 'src/web/deleted/b.ts'],
    ['web-status', 'src/web/status/plant.ts', '../knowledge/b', 'src/web/knowledge/b.ts'],
    ['web-tasks', 'src/web/tasks/plant.ts', '../sync/b', 'src/web/sync/b.ts'],
    ['web-places', 'src/web/places/plant.ts', '../session/b', 'src/web/session/b.ts'],
    ['web-session', 'src/web/session/plant.ts', '../app/b', 'src/web/app/b.ts'],
    ['web-sync', 'src/web/sync/plant.ts', '../app/b', 'src/web/app/b.ts'],
    ['web-app', 'src/web/app/plant.ts', '../main', 'src/web/main.tsx'],
  ];

  it('each have a planted violation, so that every rule can fail', () => {
    const planted = new Set<string>([...violations.map(([rule]) => rule), 'no-cycle', 'no-cycle-of-models']);
    expect(RULES.filter((rule) => !planted.has(rule))).toEqual([]);
  });

  // Linting costs a second, so all plants stand in one tree, each in a file of its own.
  const planted: Record<string, string> = {
    ...NODE_PLATFORM,
    'src/core/type.ts': "import type { Leaf } from '../lib/supabase/leaf';\nexport type A = Leaf;\n",
    'src/lib/supabase/leaf.ts': LEAF,
    'src/core/cycle1.ts': "import { b } from './cycle2';\nexport const a = () => b;\n",
    'src/core/cycle2.ts': "import { a } from './cycle1';\nexport const b = () => a;\n",
    'src/core/types1.ts': "import type { B } from './types2';\nexport type A = B | 1;\n",
    'src/core/types2.ts': "import type { A } from './types1';\nexport type B = A[] | 2;\n",
    'src/lib/watermelon/models/cycle1.ts': "import { b } from './cycle2';\nexport const a = () => b;\n",
    'src/lib/watermelon/models/cycle2.ts': "import { a } from './cycle1';\nexport const b = () => a;\n",
  };
  for (const [, from, imported, target] of violations) {
    planted[from] = `import '${imported}';\nexport {};\n`;
    if (target) planted[target] = LEAF;
  }
  let found: Violation[];
  beforeAll(() => {
    found = lint(planted);
  });

  it.each(violations)('%s catches %s importing %s', (rule, from) => {
    expect(found).toContainEqual({ rule, from });
  });

  it('catch an import of a type alone', () => {
    expect(found).toContainEqual({ rule: 'core-is-lowest', from: 'src/core/type.ts' });
  });

  // A cycle is reported once, from whichever of its modules comes first.
  it.each([
    ['values', 'cycle'],
    ['types alone', 'types'],
  ])('catch a cycle of %s', (_what, name) => {
    const cycles = found.filter(
      ({ rule, from }) => rule === 'no-cycle' && from.startsWith(`src/core/${name}`),
    );
    expect(cycles).toHaveLength(1);
  });

  it('catch a cycle of models that is more than types', () => {
    expect(found.some(({ rule }) => rule === 'no-cycle-of-models')).toBe(true);
  });

  it('accuse no module that keeps them', () => {
    const accused = new Set(found.map((violation) => violation.from));
    const innocent = [...accused].filter((from) => planted[from] === LEAF);
    expect(innocent).toEqual([]);
  });
});

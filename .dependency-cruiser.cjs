/**
 * Which way imports may point, as docs/architecture.md describes it: faces, then the library, then the
 * domain, then the platform and the core. No cycles, type-only ones included. tests/unit/tooling proves that
 * each rule can fail.
 */

/** Packages by name, wherever node_modules lies. */
const packages = (...names) => `(^|node_modules/)(@types/)?(${names.join('|')})(/|$)`;

const REACT = packages('react', 'react-dom', 'wouter');
const SUPABASE = packages('@supabase/[^/]+');
const WATERMELON = packages('@nozbe/watermelondb');
const LOCAL_DRIVERS = packages('better-sqlite3', '@sqlite\\.org/sqlite-wasm', 'lokijs');
const SERVER_DRIVERS = packages(
  'pg',
  '@electric-sql/pglite',
  'hono',
  '@hono/node-server',
  'bcryptjs',
  'jose',
);

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/**
 * The folders of a part, from the lowest to the highest: each may import what stands below it, and nothing
 * beside or above. Folders on one line are beside each other.
 */
const SYNC_FLOORS = [['records'], ['merge'], ['state'], ['setAside'], ['pull'], ['push']];
const WEB_FLOORS = [
  ['ui'],
  ['actions'],
  ['hooks'],
  ['shared'],
  ['deleted', 'knowledge', 'status'],
  ['tasks'],
  ['agents', 'places', 'session', 'sync'],
  ['inbox'],
  ['app'],
];

/** @param {string} part @param {string} root @param {string[][]} floors @param {string[]} roofs files of the root above all folders */
const ladder = (part, root, floors, roofs) =>
  floors.flatMap((names, floor) =>
    names.map((name) => {
      const notBelow = floors
        .slice(floor)
        .flat()
        .filter((other) => other !== name);
      return forbid(
        `${part}-${name}`,
        `In ${root}, ${name} stands below or beside what it imports.`,
        { path: `^${root}/${name}/` },
        { path: `^${root}/(${[...notBelow.map((other) => `${other}/`), ...roofs].join('|')})` },
      );
    }),
  );

module.exports = {
  forbidden: [
    forbid(
      'no-cycle',
      'Modules in a cycle cannot be understood or tested one at a time.',
      { pathNot: '^src/lib/watermelon/models/' },
      { circular: true },
    ),
    forbid(
      'no-cycle-of-models',
      'Associations go both ways, so models name the types of each other; nothing more than the types.',
      { path: '^src/lib/watermelon/models/' },
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    forbid(
      'no-unresolvable',
      'The import names nothing that exists. (`?url` is for the bundler, which fails by itself.)',
      {},
      { couldNotResolve: true, pathNot: '\\?url$' },
    ),
    forbid(
      'src-stands-alone',
      'What is shipped knows nothing of its tests, scripts and benchmarks.',
      { path: '^src/' },
      { path: '^(tests|scripts|bench)/' },
    ),
    forbid(
      'no-dev-dependency',
      'What is shipped may not need a package that is only installed for development.',
      { path: '^src/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    ),

    forbid(
      'core-is-lowest',
      'The core imports nothing of src above it.',
      { path: '^src/core/' },
      { path: '^src/(?!core/)' },
    ),
    forbid('core-is-pure', 'The core does no I/O.', { path: '^src/core/' }, { dependencyTypes: ['core'] }),
    forbid(
      'core-packages',
      'The core stays free of frameworks; of packages it may use only uuid.',
      { path: '^src/core/' },
      { path: 'node_modules/', pathNot: packages('uuid') },
    ),

    forbid(
      'domain-on-core',
      'The domain imports the core and itself.',
      { path: '^src/domain/' },
      { path: '^src/(?!core/|domain/)' },
    ),
    forbid(
      'domain-is-pure',
      'The domain does no I/O.',
      { path: '^src/domain/' },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'domain-packages',
      'The domain stays free of frameworks; of packages it may use only uuid.',
      { path: '^src/domain/' },
      { path: 'node_modules/', pathNot: packages('uuid') },
    ),

    forbid(
      'library-below-faces',
      'The library and the platform know none of the faces.',
      { path: '^src/(lib|platform)/' },
      { path: '^src/(web|cli|mcp|server|machine)/' },
    ),
    forbid(
      'machine-below-faces',
      'What the command line and the MCP server share knows neither of them.',
      { path: '^src/machine/' },
      { path: '^src/(web|cli|mcp|server)/' },
    ),
    forbid(
      'machine-not-in-browsers',
      'A browser has no users of a machine.',
      { path: '^src/(web|server)/' },
      { path: '^src/machine/' },
    ),
    forbid(
      'library-runs-anywhere',
      'The library runs in browsers too.',
      { path: '^src/lib/' },
      { dependencyTypes: ['core'] },
    ),
    forbid('library-not-react', 'The library knows no screen.', { path: '^src/lib/' }, { path: REACT }),
    forbid(
      'engine-not-supabase',
      'Sync and models reach a server only through the SyncTransport port.',
      { path: '^src/lib/watermelon/', pathNot: '^src/lib/watermelon/(index|device/compose)\\.ts$' },
      { path: [SUPABASE, '^src/lib/supabase/'] },
    ),
    forbid(
      'engine-not-platform',
      'Only the composing door chooses a platform.',
      { path: '^src/lib/watermelon/', pathNot: '^src/lib/watermelon/(index|device/compose)\\.ts$' },
      { path: '^src/platform/|^#platform$' },
    ),
    forbid(
      'models-below-all',
      'Models know the core, the domain and WatermelonDB.',
      { path: '^src/lib/watermelon/models/' },
      { path: '^src/|node_modules/', pathNot: ['^src/(core|domain|lib/watermelon/models)/', WATERMELON] },
    ),
    forbid(
      'remote-on-domain',
      'The Supabase side and the local side meet in the core and the domain alone.',
      { path: '^src/lib/supabase/' },
      { path: '^src/', pathNot: '^src/(core|domain|lib/supabase)/' },
    ),
    forbid(
      'sync-below-device',
      'The sync engine and the models know nothing of the device that is composed of them.',
      { path: '^src/lib/watermelon/(sync|models)/' },
      {
        path: '^src/lib/watermelon/(device|accounts|context)/|^src/lib/watermelon/(index|lists|contextService)\\.ts$',
      },
    ),
    ...ladder('sync', 'src/lib/watermelon/sync', SYNC_FLOORS, [
      'pullSync',
      'pushSync',
      'synchronize',
      'automatic/',
      'index',
    ]),
    forbid(
      'watermelon-in-one-place',
      'WatermelonDB is wrapped, not spread.',
      { path: '^src/', pathNot: '^src/(lib/watermelon|platform)/' },
      { path: WATERMELON },
    ),

    forbid(
      'platform-on-core',
      'The platform adapts a machine to the core; it knows neither the domain nor a library of ours.',
      { path: '^src/platform/' },
      { path: '^src/', pathNot: '^src/(core|platform)/' },
    ),
    forbid(
      'platforms-apart',
      'A browser build must not reach Node code.',
      { path: '^src/platform/web/' },
      { path: '^src/platform/node/' },
    ),
    forbid(
      'node-not-web',
      'A Node process must not reach browser code.',
      { path: '^src/platform/node/' },
      { path: '^src/platform/web/' },
    ),
    forbid(
      'web-not-node',
      'There is no node:* in a browser.',
      { path: '^src/(platform/web|web)/' },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'local-drivers-in-platform',
      'Only the platform opens local storage; the server also locks its folder through SQLite.',
      { path: '^src/', pathNot: '^src/(platform|server)/' },
      { path: LOCAL_DRIVERS },
    ),
    forbid(
      'server-packages-in-server',
      'What serves is not shipped to those who are served.',
      { path: '^src/', pathNot: '^src/server/' },
      { path: SERVER_DRIVERS },
    ),

    ...ladder('web', 'src/web', WEB_FLOORS, ['main']),
    forbid(
      'faces-apart',
      'What two faces share belongs below them.',
      { path: '^src/(web|cli|mcp|server)/', pathNot: '^src/cli/commands/(start|mcp)\\.ts$' },
      { path: '^src/(web|cli|mcp|server)/', pathNot: '^src/$1/' },
    ),
    forbid(
      'command-line-starts-others',
      'The command line starts the server and the MCP server, and knows nothing else of them.',
      { path: '^src/cli/commands/(start|mcp)\\.ts$' },
      { path: '^src/(web|mcp|server)/', pathNot: '^src/(server/index|mcp/server)\\.ts$' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Type-only imports count: a cycle of types is a cycle of ideas.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};

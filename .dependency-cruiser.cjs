/**
 * Which way imports may point, as docs/architecture.md describes it: faces, then the library and the
 * platform, then the core. No cycles, type-only ones included. tests/unit/tooling proves that each
 * rule can fail.
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
      'library-below-faces',
      'The library and the platform know none of the faces.',
      { path: '^src/(lib|platform)/' },
      { path: '^src/(web|cli|mcp|server)/' },
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
      { path: '^src/lib/watermelon/', pathNot: '^src/lib/watermelon/(index|defaults)\\.ts$' },
      { path: [SUPABASE, '^src/lib/supabase/'] },
    ),
    forbid(
      'engine-not-platform',
      'Only the composing door chooses a platform.',
      { path: '^src/lib/watermelon/', pathNot: '^src/lib/watermelon/(index|defaults)\\.ts$' },
      { path: '^src/platform/|^#platform$' },
    ),
    forbid(
      'models-below-all',
      'Models know the core and WatermelonDB.',
      { path: '^src/lib/watermelon/models/' },
      { path: '^src/|node_modules/', pathNot: ['^src/(core|lib/watermelon/models)/', WATERMELON] },
    ),
    forbid(
      'remote-on-core',
      'The Supabase side and the local side meet in the core alone.',
      { path: '^src/lib/supabase/' },
      { path: '^src/', pathNot: '^src/(core|lib/supabase)/' },
    ),
    forbid(
      'watermelon-in-one-place',
      'WatermelonDB is wrapped, not spread.',
      { path: '^src/', pathNot: '^src/(lib/watermelon|platform)/' },
      { path: WATERMELON },
    ),

    forbid(
      'platform-on-core',
      'The platform adapts a machine to the core; it knows no library of ours.',
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

    forbid(
      'faces-apart',
      'What two faces share belongs below them.',
      { path: '^src/(web|cli|mcp|server)/' },
      { path: '^src/(web|cli|mcp|server)/', pathNot: '^src/$1/' },
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

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOOLS, type ToolSpec } from '@/mcp/tools';
import { Machine } from '../../support/builtConvoy';
import { type DemoStack, startDemoStack } from '../../support/demoStack';
import { McpHost } from '../../support/mcpHost';
import { SEED } from '../../support/seed';

let demo: DemoStack;
let machine: Machine;
let host: McpHost;
let database: Sqlite.Database;

beforeAll(async () => {
  [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
  const { userId } = await machine.signIn(demo.stack.url, 'agent@convoy.example', SEED.password);
  await machine.json(['sync']);
  await machine.json(['link', 'Field app']);
  host = await McpHost.start(machine);
  await host.text('list');
  const profiles = join(machine.data, 'profiles');
  const folder = join(profiles, readdirSync(profiles).find((one) => one.endsWith(userId)) ?? '');
  const file = readdirSync(folder).find((one) => /\.db$/.test(one)) ?? '';
  database = new Sqlite(join(folder, file), { readonly: true });
});
afterAll(async () => {
  database.close();
  await host.close();
  machine.remove();
  await demo.stack.close();
});

/** What members see of the work: no column that a sync alone writes. */
function written(): string {
  const all = (sql: string) => database.prepare(sql).raw().all();
  return JSON.stringify([
    all(
      'select id, title, description, priority, status, current_stage, parent_task_id from tasks order by id',
    ),
    all('select id from activity_feed order by id'),
    all(
      "select id, task_id, depends_on_task_id from task_dependencies where _status <> 'deleted' order by id",
    ),
  ]);
}

/** Arguments that a call can be made with. */
const GOOD: Record<string, unknown> = {
  task: 'FIELD-1',
  on: 'FIELD-2',
  text: 'A word.',
  request: 'again',
  tasks: [{ name: 'one', title: 'One' }],
  set: { title: 'Other' },
  was: { title: 'Never so' },
  seconds: 0,
};

const hostile = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom<unknown>(
    null,
    '',
    '   ',
    5,
    -1,
    1e308,
    true,
    [],
    {},
    '5',
    '{"title": "A"}',
    '\u0000',
    '\ud800',
    'x'.repeat(30_000),
    "'; drop table tasks; --",
    '../../etc/passwd',
    [{ title: 'A', depends_on: ['A', 7] }],
    [{ title: 'A', parent: 'nobody' }],
    Array.from({ length: 51 }, () => ({ title: 'Many' })),
    [{ title: 'Whole' }, { title: 5 }],
    { title: null },
    { status: 'done ' },
  ),
);

function argumentsOf({ inputSchema }: ToolSpec) {
  const known = Object.keys(inputSchema.properties);
  const good = Object.fromEntries((inputSchema.required ?? []).map((name) => [name, GOOD[name]]));
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...known) },
    { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'user_id') },
  );
  return fc
    .array(fc.tuple(name, hostile), { minLength: 1, maxLength: 2 })
    .map((changes) => ({ ...good, ...Object.fromEntries(changes) }));
}

describe('the tools, given whatever an agent makes up', () => {
  it.each(TOOLS.map((tool) => [tool.name, tool] as const))(
    '%s neither crashes nor writes half, and names the argument that is wrong',
    async (name, tool) => {
      await fc.assert(
        fc.asyncProperty(argumentsOf(tool), async (given) => {
          const args = name === 'wait' ? { seconds: 0, ...given } : given;
          const before = written();
          const { text, isError } = await host.call(name, args);
          if (!isError) return;
          expect(written()).toBe(before);
          expect(text).not.toContain('unexpectedly');
          const names = [...Object.keys(tool.inputSchema.properties), ...Object.keys(args)];
          expect(
            names.some((one) => text.includes(one)),
            text,
          ).toBe(true);
        }),
        { numRuns: Number(process.env.CONVOY_AGENT_ARGUMENTS ?? 15), seed: 1, endOnFailure: true },
      );
      expect(host.printed).not.toContain('Error:');
    },
  );
});

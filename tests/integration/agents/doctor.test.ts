import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine, type Ran } from '../../support/builtConvoy';
import { type DemoStack, startDemoStack } from '../../support/demoStack';
import { SEED } from '../../support/seed';

let demo: DemoStack;
let machine: Machine;

beforeAll(async () => {
  [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
});
afterAll(async () => {
  machine.remove();
  await demo.stack.close();
});

interface Check {
  name: string;
  state: 'ok' | 'warning' | 'fault';
  message: string;
  mend: string | null;
}

async function doctor(
  args: readonly string[] = [],
  input = '',
): Promise<Ran & { checks: Check[]; state(name: string): string | undefined }> {
  const ran = await machine.run(['doctor', ...args, '--json'], input);
  const { checks } = JSON.parse(ran.out) as { checks: Check[] };
  return { ...ran, checks, state: (name) => checks.find((check) => check.name === name)?.state };
}

/** Every file below a folder with its content, mode and time of change. */
function snapshot(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    paths.map((path) => {
      const found = statSync(join(folder, path));
      const content = found.isFile() ? readFileSync(join(folder, path)) : '';
      return [path, `${found.mode} ${found.mtimeMs} ${createHash('sha256').update(content).digest('hex')}`];
    }),
  );
}

const profileFolder = () => {
  const [folder = ''] = readdirSync(join(machine.data, 'profiles')).filter((name) => !name.endsWith('.json'));
  return join(machine.data, 'profiles', folder);
};
const databaseFile = () =>
  join(profileFolder(), readdirSync(profileFolder()).find((name) => /^convoy-.*\.db$/.test(name)) ?? '');

describe('convoy doctor', () => {
  it('works where nobody has signed in, with and without a server', async () => {
    const found = await doctor(['--url', demo.stack.url]);
    expect(found.code).toBe(0);
    expect(found.state('native')).toBe('ok');
    expect(found.state('user')).toBe('warning');
    expect(found.state('server')).toBe('ok');
    expect(found.state('policies')).toBe('ok');
    const alone = await doctor(['--url', 'http://127.0.0.1:1']);
    expect(alone.state('server')).toBe('warning');
    expect(alone.code).toBe(0);
  });

  it('finds a signed-in user in order, says so at a terminal, and changes nothing', async () => {
    await machine.signIn(demo.stack.url, 'editor@convoy.example', SEED.password);
    await machine.json(['sync']);
    const before = snapshot(machine.data);
    const found = await doctor();
    const bad = found.checks.filter(({ state }) => state !== 'ok');
    expect(bad).toEqual([]);
    expect(found.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...['convoy', 'node', 'native', 'data folder', 'permissions', 'file system', 'free disk', 'folder'],
        ...['user', 'database', 'local schema', 'unsynced', 'set aside', 'leader', 'session'],
        ...['server', 'clock', 'protocol', 'migrations', 'policies'],
      ]),
    );
    const { out, code } = await machine.run(['doctor']);
    expect(code).toBe(0);
    expect(out).toMatch(/^ok +convoy +convoy \d/);
    expect(out).not.toContain('\u001b');
    expect(snapshot(machine.data)).toEqual(before);
  });

  it('tries the sign-in of an agent', async () => {
    const agent = ['--agent', 'agent@convoy.example', '--secret-stdin'];
    expect((await doctor(agent, SEED.password)).state('agent')).toBe('ok');
    const unasked = await machine.run(['doctor', '--agent', 'agent@convoy.example', '--json']);
    expect(unasked).toMatchObject({ code: 1, out: expect.stringContaining('--secret-stdin') });
    const empty = await machine.run(['doctor', ...agent, '--json']);
    expect(empty).toMatchObject({ code: 1, out: expect.stringContaining('bad_choice') });
    const wrong = await doctor(agent, 'another');
    expect(wrong.state('agent')).toBe('fault');
    expect(wrong.code).toBe(1);
  });

  it('works offline, and names what waits', async () => {
    await demo.stack.suspend();
    try {
      await machine.run(['task', 'create', 'Waits', '--milestone', SEED.offlineMilestone]);
      const found = await doctor();
      expect(found.code).toBe(0);
      expect(found.state('server')).toBe('warning');
      expect(found.state('unsynced')).toBe('warning');
    } finally {
      await demo.stack.resume();
    }
    await machine.json(['sync']);
  });

  it('names sessions that others can read, a lost session, and how to mend both', async () => {
    const session = join(profileFolder(), 'session.json');
    chmodSync(session, 0o644);
    const open = await doctor();
    expect(open.code).toBe(1);
    expect(open.checks.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'fault',
      mend: `Run: chmod 600 "${session}"`,
    });
    chmodSync(session, 0o600);
    const kept = readFileSync(session);
    writeFileSync(session, 'no json');
    const lost = await doctor();
    expect(lost.checks.find(({ name }) => name === 'session')).toMatchObject({
      state: 'fault',
      mend: `Run: convoy login --url ${demo.stack.url}`,
    });
    writeFileSync(session, kept);
  });

  it('names a damaged database, and leaves it as it is', async () => {
    const path = databaseFile();
    const content = readFileSync(path);
    // Pages behind the header: the file still opens.
    content.fill(0x5a, 4_096, content.length);
    writeFileSync(path, content);
    const before = snapshot(machine.data);
    const found = await doctor();
    expect(found.code).toBe(1);
    expect(found.state('database')).toBe('fault');
    expect(found.checks.find(({ name }) => name === 'database')?.mend).toContain('salvaged');
    writeFileSync(path, 'no database at all');
    expect((await doctor()).state('database')).toBe('fault');
    writeFileSync(path, content);
    expect(Object.keys(snapshot(machine.data))).toEqual(Object.keys(before));
  });
});

describe('help', () => {
  it('loads no native module', async () => {
    const probe = join(machine.work, 'probe.cjs');
    writeFileSync(
      probe,
      `process.on('exit', () => {
        const loaded = process.report.getReport().sharedObjects.some((name) => name.includes('better_sqlite3'));
        process.stderr.write(loaded ? 'LOADED' : 'FREE');
      });`,
    );
    const run = (args: string[]) =>
      machine.run(args, '', machine.work, { NODE_OPTIONS: `--require ${probe}` });
    for (const args of [
      ['--help'],
      ['doctor', '--help'],
      ['conflicts', '--help'],
      ['mcp', 'install', '--help'],
    ]) {
      const { code, err } = await run(args);
      expect({ args, code, err }).toEqual({ args, code: 0, err: 'FREE' });
    }
    // The probe can tell.
    expect((await run(['doctor'])).err).toContain('LOADED');
  });
});

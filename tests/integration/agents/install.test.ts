import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../support/builtConvoy';

let machine: Machine;
let code: string;
let home: string;

beforeAll(async () => {
  machine = await Machine.start();
  [code, home] = ['code', 'home'].map((name) => join(machine.work, name)) as [string, string];
  mkdirSync(code);
  mkdirSync(home);
});
afterAll(() => machine.remove());

interface Installed {
  what: string;
  path: string;
  state: string;
}

const install = (args: readonly string[]) =>
  machine.run(['mcp', 'install', ...args], '', code, { HOME: home, XDG_CONFIG_HOME: '', CODEX_HOME: '' });
const installed = async (args: readonly string[]): Promise<Installed[]> => {
  const { code: ended, out, err } = await install([...args, '--json']);
  expect({ ended, err }).toEqual({ ended: 0, err: '' });
  return JSON.parse(out) as Installed[];
};
const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
const launch = () => ({
  command: process.execPath,
  args: [realpathSync(machine.program), 'mcp', '--as', 'Agent'],
  env: { CONVOY_DATA_DIR: machine.data },
});

describe('convoy mcp install', () => {
  it('changes nothing without a terminal and without a word, and says so', async () => {
    const unasked = await install(['--host', 'claude-code', '--as', 'Agent']);
    expect(unasked.code).toBe(1);
    expect(unasked.err).toContain('+ ');
    expect(unasked.err).toContain('nothing was changed');
    const unnamed = await install(['--yes', '--json']);
    expect(unnamed.code).toBe(1);
    expect(unnamed.out).toContain('needs_terminal');
    const dry = await install(['--host', 'claude-code', '--as', 'Agent', '--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.out).toContain('would be written');
    expect(dry.err).toContain('"mcpServers"');
    expect(existsSync(join(code, '.mcp.json'))).toBe(false);
    expect(existsSync(join(code, 'AGENTS.md'))).toBe(false);
  });

  it('writes the settings of a project with absolute paths, and ten lines for agents, once', async () => {
    writeFileSync(
      join(code, '.mcp.json'),
      '{\n  // ours\n  "mcpServers": {"other": {"command": "npx"}}\n}\n',
    );
    const args = ['--host', 'claude-code', '--host', 'vscode', '--as', 'Agent', '--yes'];
    expect((await installed(args)).map(({ state }) => state)).toEqual(['written', 'written', 'written']);
    const text = read(code, '.mcp.json');
    expect(text).toContain('// ours');
    expect(text).toContain('"other": {"command": "npx"}');
    const settings = JSON.parse(text.replace('// ours', '')) as { mcpServers: Record<string, unknown> };
    expect(settings.mcpServers.convoy).toEqual({ type: 'stdio', ...launch() });
    expect(JSON.parse(read(code, '.vscode', 'mcp.json'))).toEqual({
      servers: { convoy: { type: 'stdio', ...launch() } },
    });
    expect(read(code, 'AGENTS.md').trimEnd().split('\n')).toHaveLength(10);
    expect((await installed(args)).map(({ state }) => state)).toEqual(Array(3).fill('unchanged'));
    expect(read(code, '.mcp.json')).toBe(text);
  });

  it('writes the settings of a user, whatever their form', async () => {
    mkdirSync(join(home, '.codex'));
    writeFileSync(join(home, '.codex', 'config.toml'), 'model = "x" # mine\n');
    const hosts = ['claude-code', 'cursor', 'codex', 'gemini', 'windsurf', 'zed', 'opencode'];
    const args = ['--user', '--as', 'Agent', '--yes', ...hosts.flatMap((host) => ['--host', host])];
    expect(await installed(args)).toHaveLength(hosts.length);
    const { command, args: given, env } = launch();
    expect(read(home, '.codex', 'config.toml')).toMatch(
      /^model = "x" # mine\n\n\[mcp_servers\.convoy\]\ncommand = /,
    );
    expect(JSON.parse(read(home, '.config', 'opencode', 'opencode.json'))).toEqual({
      mcp: {
        convoy: { type: 'local', command: [command, ...given], enabled: true, environment: env },
      },
    });
    expect(JSON.parse(read(home, '.config', 'zed', 'settings.json'))).toEqual({
      context_servers: { convoy: launch() },
    });
    for (const path of [
      '.claude.json',
      '.cursor/mcp.json',
      '.gemini/settings.json',
      '.codeium/windsurf/mcp_config.json',
    ]) {
      expect(JSON.parse(read(home, path))).toMatchObject({ mcpServers: { convoy: launch() } });
    }
  });

  it('leaves a file alone that it cannot read, and names the place', async () => {
    mkdirSync(join(code, '.cursor'));
    const broken = '{\n  "mcpServers": {,}\n}\n';
    writeFileSync(join(code, '.cursor', 'mcp.json'), broken);
    const { code: ended, err } = await install(['--host', 'cursor', '--yes']);
    expect(ended).toBe(1);
    expect(err).toMatch(/\.cursor\/mcp\.json, line 2, column \d+: It is no JSON/);
    expect(read(code, '.cursor', 'mcp.json')).toBe(broken);
    expect(await install(['--host', 'emacs', '--yes'])).toMatchObject({ code: 2 });
    expect(await install(['--host', 'vscode', '--user', '--yes'])).toMatchObject({ code: 2 });
  });
});

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse as parseJsonc } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { afterAll, describe, expect, it } from 'vitest';
import { difference } from '@/cli/difference';
import type { Edited } from '@/cli/install/edit';
import { planFile, writePlanned } from '@/cli/install/file';
import { editJson } from '@/cli/install/json';
import { editLines } from '@/cli/install/lines';
import { editToml } from '@/cli/install/toml';

const entry = { command: '/usr/bin/node', args: ['/opt/convoy.js', 'mcp', '--as', 'Agent'] };
const JSON_WANTED = { path: ['mcpServers'], name: 'convoy', entry };
const TOML_WANTED = { path: ['mcp_servers'], name: 'convoy', entry };

function edited(result: Edited): string {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
function fault(result: Edited) {
  if (result.ok) throw new Error(`edited: ${result.value}`);
  return result.error;
}

describe('settings in JSON', () => {
  it.each([
    ['an empty file', ''],
    ['white space', ' \n'],
    ['an empty object', '{}'],
    ['comments alone', '// mine\n'],
    ['other settings', '{\n  "a": 1\n}\n'],
    ['an empty list of servers', '{ "mcpServers": {} }'],
  ])('take a server into %s, once', (_, text) => {
    const once = edited(editJson(text, JSON_WANTED));
    expect(parseJsonc(once)).toMatchObject({ mcpServers: { convoy: entry } });
    expect(edited(editJson(once, JSON_WANTED))).toBe(once);
  });

  it('keep comments, trailing commas, tabs, line ends and servers of others', () => {
    const text = [
      '{',
      '\t// who works here',
      '\t"theme": "dark", /* always */',
      '\t"mcpServers": {',
      '\t\t"other": {"command": "npx", "args": ["-y", "other",],},',
      '\t},',
      '}',
      '',
    ].join('\r\n');
    const result = edited(editJson(text, JSON_WANTED));
    expect(result.replaceAll('\r\n', '')).not.toContain('\n');
    for (const line of text.split('\r\n').slice(0, 4)) expect(result).toContain(line);
    expect(result).toContain('"other": {"command": "npx", "args": ["-y", "other",],}');
    expect(result).toContain('\r\n\t\t"convoy": {\r\n\t\t\t"command"');
    const added = difference(text, result).filter(({ mark }) => mark === '-');
    expect(added.length).toBeLessThanOrEqual(1);
    expect(edited(editJson(result, JSON_WANTED))).toBe(result);
  });

  it('change what differs of a server that is there, and keep what was added to it', () => {
    const text =
      '{"mcpServers": {"convoy": {"command": "old", /* why */ "args": [], "alwaysAllow": ["list"]}}}';
    const result = edited(editJson(text, JSON_WANTED));
    expect(parseJsonc(result)).toEqual({ mcpServers: { convoy: { ...entry, alwaysAllow: ['list'] } } });
    expect(result).toContain('/* why */');
  });

  it('are left alone, with line and column, where they are no JSON', () => {
    expect(fault(editJson('{\n  "a": 1\n  "b": 2\n}', JSON_WANTED))).toMatchObject({ line: 3, column: 3 });
    expect(fault(editJson('[]', JSON_WANTED)).message).toContain('no object');
    expect(fault(editJson('{"mcpServers": []}', JSON_WANTED)).message).toContain('mcpServers');
  });

  it('are left alone where the name is taken by a server of another kind, or stands twice', () => {
    const remote = '{"mcpServers": {"convoy": {"url": "https://convoy.example/mcp"}}}';
    expect(fault(editJson(remote, JSON_WANTED)).message).toContain('--name');
    const twice = '{"mcpServers": {}, "mcpServers": {"a": {}}}';
    const result = editJson(twice, JSON_WANTED);
    if (result.ok) expect(parseJsonc(result.value)).toMatchObject({ mcpServers: { convoy: entry, a: {} } });
  });

  it('lose nothing, whatever they hold', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(0, 2, 4, '\t'),
        (value, indent) => {
          const result = editJson(JSON.stringify(value, null, indent), JSON_WANTED);
          if (!result.ok) return;
          // Not by the JSONC parser: it loses a key "__proto__" that the text has.
          const { mcpServers, ...rest } = JSON.parse(result.value) as Record<string, unknown>;
          const { mcpServers: before, ...others } = JSON.parse(JSON.stringify(value)) as Record<
            string,
            unknown
          >;
          expect(rest).toEqual(others);
          expect(mcpServers).toEqual({ ...(before as object | undefined), convoy: entry });
        },
      ),
    );
  });
});

describe('settings in TOML', () => {
  it.each([
    ['an empty file', ''],
    ['comments alone', '# mine\n'],
    ['no line end', 'model = "x"'],
    ['CRLF', 'a = 1 # one\r\n\r\n[b]\r\nc = 2\r\n'],
    ['a server of others', '[mcp_servers.other]\ncommand = "npx"\nargs = [\n  "a", # first\n  "b",\n]\n'],
    ['dotted keys', 'mcp_servers.other.command = "npx"\n'],
    ['a table', '[mcp_servers]\nother = { command = "npx" }\n'],
    ['an inline table', 'mcp_servers = { other = { command = "npx" } }\n'],
    ['its name in a text', 's = """\n[mcp_servers.convoy]\n"""\nbig = 9007199254740993\nat = 1979-05-27\n'],
  ])('take a server into %s, once, and keep the lines', (_, text) => {
    const once = edited(editToml(text, TOML_WANTED));
    const { mcp_servers: servers } = parseToml(once, { integersAsBigInt: 'asNeeded' }) as {
      mcp_servers: Record<string, unknown>;
    };
    expect(servers.convoy).toEqual(entry);
    const lines = text.split('\n').filter((line) => line !== '' && !line.includes('mcp_servers = {'));
    for (const line of lines) expect(once).toContain(line);
    if (text.includes('\r\n')) expect(once.replaceAll('\r\n', '')).not.toContain('\n');
    expect(edited(editToml(once, TOML_WANTED))).toBe(once);
  });

  it('change a server that is there in place, with its comments and what was added to it', () => {
    const text =
      '[mcp_servers.convoy]\n# mine\ncommand = "old" # keep\nargs = ["x"]\nstartup_timeout_sec = 3\n\n[z]\nq = 1\n';
    const result = edited(editToml(text, TOML_WANTED));
    expect(parseToml(result)).toEqual({
      mcp_servers: { convoy: { ...entry, startup_timeout_sec: 3 } },
      z: { q: 1 },
    });
    expect(result).toContain('# mine\ncommand = "/usr/bin/node" # keep');
  });

  it('are left alone, with line and column, where they are no TOML or the name is taken', () => {
    expect(fault(editToml('a = 1\nb = = 2\n', TOML_WANTED))).toMatchObject({ line: 2, column: 5 });
    const remote = '[mcp_servers.convoy]\nurl = "https://convoy.example"\n';
    expect(fault(editToml(remote, TOML_WANTED)).message).toContain('--name');
    expect(fault(editToml('mcp_servers = 1\n', TOML_WANTED)).message).toContain('no table');
  });
});

describe('the lines for agents', () => {
  it('are ten, come after what is there, and are replaced the next time', () => {
    const once = edited(editLines('# Agents\r\n\r\nOurs.\r\n'));
    expect(once.startsWith('# Agents\r\n\r\nOurs.\r\n\r\n<!-- convoy:begin -->\r\n')).toBe(true);
    expect(once.slice(once.indexOf('<!--')).trimEnd().split('\r\n')).toHaveLength(10);
    expect(edited(editLines(once))).toBe(once);
    const old = 'a\n<!-- convoy:begin -->\nold\n<!-- convoy:end -->\nb\n';
    const replaced = edited(editLines(old));
    expect(replaced).toMatch(/^a\n<!-- convoy:begin -->\n## [\s\S]*<!-- convoy:end -->\nb\n$/);
    expect(replaced).not.toContain('old');
  });

  it.each(['<!-- convoy:begin -->\n', '<!-- convoy:end -->\n<!-- convoy:begin -->\n'])(
    'are not written where the markers stand wrong: %j',
    (text) => {
      expect(fault(editLines(text))).toHaveProperty('line');
    },
  );
});

describe('a file of settings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-settings-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const edit = (text: string) => editJson(text, JSON_WANTED);

  it('keeps its byte order mark, its mode, and the link that leads to it', async () => {
    const path = write('real.json', '\ufeff{\n    "a": 1\n}\n');
    chmodSync(path, 0o600);
    const link = join(folder, 'link.json');
    symlinkSync('real.json', link);
    const plan = await planFile(link, edit);
    if (!plan.ok) throw new Error(plan.error.message);
    expect(await writePlanned(plan.value)).toEqual({ ok: true, value: null });
    expect(readFileSync(path, 'utf8')).toMatch(/^\ufeff\{\n {4}"mcpServers"[\s\S]*\n {4}"a": 1\n\}\n$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(link, 'utf8')).toBe(readFileSync(path, 'utf8'));
  });

  it('is made where a link leads to none, with its folders', async () => {
    const link = join(folder, 'dangling.json');
    symlinkSync('made/new.json', link);
    const plan = await planFile(link, edit);
    if (!plan.ok) throw new Error(plan.error.message);
    await writePlanned(plan.value);
    expect(JSON.parse(readFileSync(join(folder, 'made/new.json'), 'utf8'))).toEqual({
      mcpServers: { convoy: entry },
    });
  });

  it('is left alone where it is read-only, no UTF-8, or was changed meanwhile', async () => {
    const locked = write('locked.json', '{}');
    chmodSync(locked, 0o444);
    expect(await planFile(locked, edit)).toMatchObject({ ok: false });
    expect(await planFile(write('utf16.json', Buffer.from('\ufeff{}', 'utf16le')), edit)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('UTF-8') },
    });
    const path = write('busy.json', '{}');
    const plan = await planFile(path, edit);
    if (!plan.ok) throw new Error(plan.error.message);
    writeFileSync(path, '{"b": 1}');
    expect(await writePlanned(plan.value)).toMatchObject({ ok: false });
    expect(readFileSync(path, 'utf8')).toBe('{"b": 1}');
  });
});

/**
 * Hosts of agents: where each keeps which MCP servers it runs, and in which form. Every form is that of the host's own
 * documentation, which stands beside it.
 */

import { homedir } from 'node:os';
import { join } from 'node:path';

/** How a host starts the server. */
export interface Launch {
  /** Absolute path of Node. */
  command: string;
  args: string[];
  /** Environment variables; none of them is a secret. */
  env: Record<string, string>;
}

export interface Host {
  name: string;
  title: string;
  /** The documentation of the form. */
  source: string;
  format: 'json' | 'toml';
  /** Settings of one project, in its folder; null: the host has none. */
  projectFile: ((folder: string) => string) | null;
  /** Settings of the user; null: the host has none that are written by hand. */
  userFile: (() => string) | null;
  /** Where in the file the servers are. */
  path: readonly string[];
  entry: (launch: Launch) => Record<string, unknown>;
}

const plain = ({ command, args, env }: Launch) => ({
  command,
  args,
  ...(Object.keys(env).length > 0 && { env }),
});
const typed = (launch: Launch) => ({ type: 'stdio', ...plain(launch) });
const home = (...parts: string[]) => join(homedir(), ...parts);
const configFolder = () => process.env.XDG_CONFIG_HOME || home('.config');

export const HOSTS: readonly Host[] = [
  {
    name: 'claude-code',
    title: 'Claude Code',
    source: 'https://code.claude.com/docs/en/mcp',
    format: 'json',
    projectFile: (folder) => join(folder, '.mcp.json'),
    userFile: () => home('.claude.json'),
    path: ['mcpServers'],
    entry: typed,
  },
  {
    name: 'cursor',
    title: 'Cursor',
    source: 'https://cursor.com/docs/mcp',
    format: 'json',
    projectFile: (folder) => join(folder, '.cursor', 'mcp.json'),
    userFile: () => home('.cursor', 'mcp.json'),
    path: ['mcpServers'],
    entry: plain,
  },
  {
    name: 'vscode',
    title: 'VS Code',
    source: 'https://code.visualstudio.com/docs/agents/reference/mcp-configuration',
    format: 'json',
    projectFile: (folder) => join(folder, '.vscode', 'mcp.json'),
    // Its place depends on the profile that is in use.
    userFile: null,
    path: ['servers'],
    entry: typed,
  },
  {
    name: 'codex',
    title: 'Codex',
    source: 'https://developers.openai.com/codex/mcp/',
    format: 'toml',
    // One of a project is read once the project is trusted.
    projectFile: null,
    userFile: () => join(process.env.CODEX_HOME || home('.codex'), 'config.toml'),
    path: ['mcp_servers'],
    entry: plain,
  },
  {
    name: 'gemini',
    title: 'Gemini CLI',
    source: 'https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md',
    format: 'json',
    projectFile: (folder) => join(folder, '.gemini', 'settings.json'),
    userFile: () => home('.gemini', 'settings.json'),
    path: ['mcpServers'],
    entry: plain,
  },
  {
    name: 'windsurf',
    title: 'Windsurf',
    source: 'https://docs.windsurf.com/windsurf/cascade/mcp',
    format: 'json',
    projectFile: null,
    userFile: () => home('.codeium', 'windsurf', 'mcp_config.json'),
    path: ['mcpServers'],
    entry: plain,
  },
  {
    name: 'zed',
    title: 'Zed',
    source: 'https://zed.dev/docs/ai/mcp',
    format: 'json',
    projectFile: null,
    userFile: () => join(configFolder(), 'zed', 'settings.json'),
    path: ['context_servers'],
    entry: plain,
  },
  {
    name: 'opencode',
    title: 'OpenCode',
    // Version 2 reads the form of version 1 too: https://opencode.ai/docs/migrate-v1/
    source: 'https://opencode.ai/v1/docs/mcp-servers/',
    format: 'json',
    projectFile: (folder) => join(folder, 'opencode.json'),
    userFile: () => join(configFolder(), 'opencode', 'opencode.json'),
    path: ['mcp'],
    entry: ({ command, args, env }) => ({
      type: 'local',
      command: [command, ...args],
      enabled: true,
      ...(Object.keys(env).length > 0 && { environment: env }),
    }),
  },
];

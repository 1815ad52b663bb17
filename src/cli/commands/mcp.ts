/** `convoy mcp`: the MCP server, for the host of an agent, and the settings of such hosts. */

import { Command } from 'commander';
import type { CommonOptions } from '../run';
import { addInstallCommand } from './install';

export function addMcpCommand(program: Command, version: string): void {
  const mcp = new Command('mcp').description('Serve tools to an agent, and have its host do so.');
  mcp
    .command('serve', { isDefault: true })
    .description('Serve tools over standard input and output (MCP). Does so without a word, too.')
    .option('--folder <path>', 'where to look for convoy.json; absent: where the host runs it')
    .action(async ({ as, url, folder = process.cwd() }: CommonOptions & { folder?: string }) => {
      const { serve } = await import('@/mcp/server');
      serve({ as, url, folder }, version);
    });
  addInstallCommand(mcp);
  program.addCommand(mcp);
}

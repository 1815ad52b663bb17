/** `convoy mcp`: the MCP server, for the host of an agent. */

import type { Command } from 'commander';
import type { CommonOptions } from '../run';

export function addMcpCommand(program: Command, version: string): void {
  program
    .command('mcp')
    .description('Serve tools to an agent over standard input and output (MCP).')
    .option('--folder <path>', 'where to look for convoy.json; absent: where the host runs it')
    .action(async ({ as, url, folder = process.cwd() }: CommonOptions & { folder?: string }) => {
      const { serve } = await import('@/mcp/server');
      serve({ as, url, folder }, version);
    });
}

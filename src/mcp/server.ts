/**
 * The MCP server: tools over the Context Service, for agents. Standard output belongs to the protocol; whatever else is printed
 * goes to standard error.
 */

import { type CallToolResult, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { ConvoyError } from '@/core/errors';
import { MachineFailure } from '@/machine/errors';
import { BadArgument } from './arguments';
import { CALLS } from './calls';
import { type DeskOptions, Desks } from './desk';
import { INSTRUCTIONS, TOOLS } from './tools';

/** Runs until the host closes standard input. */
export function serve(options: DeskOptions, version: string): void {
  keepOutputForProtocol();
  const desks = new Desks(options);
  const handle = serveStdio(() => createServer(desks, version), {
    onerror: (error) => console.error(error.message),
  });
  const end = () => void Promise.all([handle.close(), desks.close()]).then(() => process.exit(0));
  process.stdin.once('end', end);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
}

export function createServer(desks: Desks, version: string): Server {
  const server = new Server(
    { name: 'convoy', title: 'Convoy', version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler('tools/list', async () => ({ tools: [...TOOLS] }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) =>
    call(desks, params.name, params.arguments, mcpReq.signal),
  );
  return server;
}

/** @returns the tool's answer; a failure that the agent can act on is an answer too */
async function call(
  desks: Desks,
  name: string,
  given: unknown,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const tool = CALLS.get(name);
  if (!tool) return failed(`There is no tool "${name}". There are ${[...CALLS.keys()].join(', ')}.`);
  try {
    const run = tool(given);
    const text = await run(await desks.open(), signal);
    return { content: [{ type: 'text', text }] };
  } catch (error) {
    if (error instanceof BadArgument) return failed(error.message);
    if (error instanceof MachineFailure || error instanceof ConvoyError) return failed(wordsOf(error));
    console.error(error);
    return failed(
      'Convoy failed unexpectedly, and nothing of this call may be written. Try once more; then tell a person.',
    );
  }
}

function wordsOf({ detail }: MachineFailure | ConvoyError): string {
  const field = 'field' in detail ? `${detail.field}: ` : '';
  return `${field}${detail.message} (${detail.kind}/${detail.code})`;
}

function failed(text: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text }] };
}

/** Libraries print to the console; on standard output that would be taken for protocol. */
function keepOutputForProtocol(): void {
  for (const name of ['log', 'info', 'debug', 'warn', 'trace', 'dir', 'table'] as const) {
    console[name] = (...printed: unknown[]) => console.error(...printed);
  }
}

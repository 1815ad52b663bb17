/**
 * The MCP server: tools over the Context Service, for agents. Standard output belongs to the protocol; whatever else is printed
 * goes to standard error.
 */

import { PassThrough, Writable } from 'node:stream';
import { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { type DeskOptions, Desks } from './desk';
import { getPrompt, PROMPTS } from './prompts';
import { RESOURCE_TEMPLATES, RESOURCES, readResource } from './resources';
import { runTool } from './run';
import { INSTRUCTIONS, TOOLS } from './tools';

/** Runs until the host closes standard input. */
export function serve(options: DeskOptions, version: string): void {
  const desks = new Desks(options);
  // Its end is kept from the transport, which would drop the answers of calls that are open.
  const input = process.stdin.pipe(new PassThrough(), { end: false });
  const handle = serveStdio(() => createServer(desks, version), {
    transport: new StdioServerTransport(input, keepOutputForProtocol()),
    onerror: (error) => console.error(error.message),
  });
  const end = async (answers: boolean) => {
    await desks.close(answers);
    await handle.close();
    process.exit(0);
  };
  // What was read last is with the transport by the next turn.
  process.stdin.once('end', () => setImmediate(() => void end(true)));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(false));
}

export function createServer(desks: Desks, version: string): Server {
  const server = new Server(
    { name: 'convoy', title: 'Convoy', version },
    { capabilities: { tools: {}, resources: {}, prompts: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler('tools/list', async () => ({ tools: [...TOOLS] }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const { text, isError } = await desks.during(
      runTool(desks, params.name, params.arguments, mcpReq.signal),
    );
    return { content: [{ type: 'text', text }], ...(isError && { isError }) };
  });
  server.setRequestHandler('resources/list', async () => ({ resources: RESOURCES }));
  server.setRequestHandler('resources/templates/list', async () => ({
    resourceTemplates: RESOURCE_TEMPLATES,
  }));
  server.setRequestHandler('resources/read', ({ params }, { mcpReq }) =>
    desks.during(readResource(desks, params.uri, mcpReq.signal)),
  );
  server.setRequestHandler('prompts/list', async () => ({ prompts: PROMPTS }));
  server.setRequestHandler('prompts/get', async ({ params }) => getPrompt(params.name, params.arguments));
  return server;
}

/**
 * Libraries print, to standard output itself or by the console, which writes there too; it would be taken for protocol.
 * @returns the way to standard output that is left
 */
function keepOutputForProtocol(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = ((...printed: Parameters<typeof stdout.write>) =>
    stderr.write(...printed)) as typeof stdout.write;
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _, done) => void write(chunk, (error) => done(error)),
  });
}

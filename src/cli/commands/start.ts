/** `convoy start`: starts the local stack (or only the web app), and prints its address. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Result } from '@/core/result';
import { type StackFolder, stackFolder } from '@/platform/node/dataFolder';
import type { HostedApp, LocalStack } from '@/server';
import { EXIT } from '../exits';

interface Flags {
  port: number;
  host: string;
  data?: string;
  reset: boolean;
  demo: boolean;
  json: boolean;
}

const DEFAULT_PORT = 8787;

/** As of `src/server`, which is not loaded to print help. */
const DEFAULT_HOST = '127.0.0.1';

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description('Run Convoy on this machine: the web app and a small Supabase under it.')
    .addOption(
      new Option('--port <number>', 'port to listen on; 0 takes any free one')
        .default(DEFAULT_PORT)
        .argParser(readPort),
    )
    .option('--host <address>', 'address to listen on; other machines can reach 0.0.0.0', DEFAULT_HOST)
    .option(
      '--data <folder>',
      'where the data is kept; absent: a folder of this user, wherever it is started',
    )
    .option('--reset', 'delete the data in that folder and start over', false)
    .option('--no-demo', 'start with an empty database')
    .option('--json', 'print one JSON value: {url, accounts, data}', false)
    .addHelpText(
      'after',
      `
Environment:
  DATABASE_URL                      use this PostgreSQL instead of the data folder
  SUPABASE_URL, SUPABASE_ANON_KEY   use this Supabase project and serve the app alone`,
    )
    .action(run);
}

/** Runs until it is told to end. */
async function run(flags: Flags): Promise<void> {
  const folder = stackFolder(flags.data);
  const app = await start(flags, folder.path);
  if (app === null) process.exit();
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  // npm signals only its shell, which dies without passing the signal on to this process.
  if (process.env.npm_lifecycle_event) whenOrphaned(end);
  announce(app, flags, folder);
}

function whenOrphaned(action: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) action();
  }, 250).unref();
}

async function start(
  { port, host, reset, demo, json }: Flags,
  data: string,
): Promise<LocalStack | HostedApp | null> {
  const printFailure = <T>(result: Result<T, { code: string; message: string }>): T | null =>
    result.ok ? result.value : printError(result.error, json);
  const { SUPABASE_URL, SUPABASE_ANON_KEY, DATABASE_URL } = process.env;
  const { serveHostedApp, startLocalStack } = await import('@/server');
  if (SUPABASE_URL && SUPABASE_ANON_KEY) {
    const supabase = { url: SUPABASE_URL, anonKey: SUPABASE_ANON_KEY };
    return printFailure(await serveHostedApp({ supabase, host, port }));
  }
  if (DATABASE_URL && reset) {
    const message =
      '--reset deletes a data folder, never the database of DATABASE_URL. Drop and create that database yourself.';
    return printError({ code: 'usage', message }, json);
  }
  return printFailure(
    await startLocalStack({
      data: DATABASE_URL ? { kind: 'postgres', url: DATABASE_URL } : { kind: 'folder', path: data, reset },
      host,
      port,
      demo,
    }),
  );
}

function printError({ code, message }: { code: string; message: string }, json: boolean): null {
  process.exitCode = code === 'usage' ? EXIT.usage : EXIT.failed;
  if (json) console.log(JSON.stringify({ error: { kind: 'machine', code, message } }));
  else console.error(message);
  return null;
}

/** @returns where the data is; null: not in a folder */
function placeOf(app: LocalStack | HostedApp, { path }: StackFolder): string | null {
  return 'accounts' in app && !process.env.DATABASE_URL ? path : null;
}

function announce(app: LocalStack | HostedApp, { json }: Flags, folder: StackFolder): void {
  for (const { message } of 'warnings' in app ? app.warnings : []) console.error(`Warning: ${message}`);
  const accounts = 'accounts' in app ? app.accounts : [];
  const data = placeOf(app, folder);
  if (data !== null && folder.insteadOf !== undefined) {
    console.error(
      `Warning: The data is that of an earlier version, which kept it in the folder in which it was started. To have it wherever you start Convoy: end this, then move ${data} to ${folder.insteadOf}`,
    );
  }
  if (json) {
    console.log(JSON.stringify({ url: app.url, accounts, data }));
    return;
  }
  const width = Math.max(0, ...accounts.map(({ email }) => email.length));
  const rows = accounts.map(
    ({ role, email, password }) => `  ${role.padEnd(8)}${email.padEnd(width + 2)}${password}`,
  );
  console.log(
    [
      '',
      `  Convoy is running at ${app.url}`,
      ...(data === null ? [] : [`  Its data is in ${data}`]),
      '',
      ...rows,
      ...(rows.length > 0 ? [''] : []),
    ].join('\n'),
  );
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be 0 to 65535.');
  return port;
}

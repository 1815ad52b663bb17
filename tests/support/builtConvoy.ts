/** The command `convoy` as it is shipped: built, and run as a process of its own. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';

let built: Promise<string> | null = null;

/** @returns the path of the program, built once in this process; in the project, so that it finds the packages */
export function builtConvoy(): Promise<string> {
  built ??= buildConvoy();
  return built;
}

async function buildConvoy(): Promise<string> {
  const outDir = resolve(`.cache/convoy-${process.pid}`);
  await build({ configFile: 'vite.server.config.ts', logLevel: 'error', build: { outDir } });
  process.once('exit', () => rmSync(outDir, { recursive: true, force: true }));
  return join(outDir, 'convoy.js');
}

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** A machine of its own: a folder for sessions and databases, and one to work in. */
export class Machine {
  private readonly folder = mkdtempSync(join(tmpdir(), 'convoy-machine-'));
  readonly data = join(this.folder, 'data');

  private constructor(readonly program: string) {}

  static async start(): Promise<Machine> {
    return new Machine(await builtConvoy());
  }

  get work(): string {
    return this.folder;
  }

  get environment(): Record<string, string> {
    const { PATH = '', HOME = '' } = process.env;
    return { PATH, HOME, CONVOY_DATA_DIR: this.data };
  }

  /** Runs a command to its end. @param input what is piped in @param environment beside the machine's own */
  run(
    args: readonly string[],
    input = '',
    folder = this.folder,
    environment: Record<string, string> = {},
  ): Promise<Ran> {
    const child = spawn(process.execPath, [this.program, ...args], {
      cwd: folder,
      env: { ...this.environment, ...environment },
      stdio: 'pipe',
    });
    const ran: Ran = { code: null, out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      ran.out += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      ran.err += String(chunk);
    });
    child.stdin.end(input);
    return new Promise((done) => child.once('close', (code) => done({ ...ran, code })));
  }

  /** Runs a command that has to end well. @returns the JSON value that it printed */
  async json<T>(args: readonly string[], input = ''): Promise<T> {
    const { code, out, err } = await this.run([...args, '--json'], input);
    if (code !== 0) throw new Error(`convoy ${args.join(' ')} ended with ${code}: ${out}${err}`);
    return JSON.parse(out) as T;
  }

  signIn(url: string, email: string, password: string): Promise<{ name: string; userId: string }> {
    return this.json(['login', '--url', url, '--email', email, '--password-stdin'], `${password}\n`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The command `convoy` at a pseudo terminal, by util-linux' `script`, which other systems have in another form or not at all. */

import { spawn, spawnSync } from 'node:child_process';
import type { Machine } from './builtConvoy';

/** Whether there is such a `script` here. tests/platform-skips.json lists the platforms on which there has to be one. */
export const hasTerminal =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

export interface AtTerminal {
  code: number | null;
  /** All that the terminal showed, without its escape sequences. */
  shown: string;
}

/** What a person types once the terminal shows a text. */
export interface Typed {
  after: string;
  keys: string;
  /** What happens before they type. */
  first?: () => Promise<unknown>;
}

export const KEYS = { yes: 'y', enter: '\r', interrupt: '\u0003', clear: '\u000c' } as const;

/** Runs a command at a terminal of its own, to its end. */
export function atTerminal(
  machine: Machine,
  args: readonly string[],
  typed: readonly Typed[] = [],
  environment: Record<string, string> = {},
): Promise<AtTerminal> {
  const quoted = [process.execPath, machine.program, ...args].map(
    (one) => `'${one.replaceAll("'", `'\\''`)}'`,
  );
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `stty cols 160 rows 50; exec ${quoted.join(' ')}`, '/dev/null'],
    {
      cwd: machine.work,
      env: { ...machine.environment, TERM: 'xterm', SHELL: '/bin/sh', ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const left = [...typed];
  let written = '';
  const shown = () => plain(written);
  child.stdout.on('data', (chunk) => {
    written += String(chunk);
    while (left[0] && shown().includes(left[0].after)) {
      const next = left.shift();
      void Promise.resolve(next?.first?.()).then(() => child.stdin.write(next?.keys ?? ''));
    }
  });
  return new Promise((done) => child.once('close', (code) => done({ code, shown: shown() })));
}

function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  return text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
}

/** `convoy doctor`: what works, what does not, and how to mend it. */

import type { Command } from 'commander';
import type { Check } from '@/machine/doctor';
import { EXIT } from '../exits';
import { type Painting, painted, shown } from '../output';
import { readSecret } from '../prompt';
import { type CommonOptions, runCommand } from '../run';

interface DoctorOptions extends CommonOptions {
  agent?: string;
  secretStdin?: boolean;
}

export function addDoctorCommand(program: Command, version: string): void {
  program
    .command('doctor')
    .description('Look at all that Convoy needs, and say how to mend what is wrong. Changes nothing.')
    .option('--agent <address>', 'try whether a new agent can sign in; its secret is asked for')
    .option('--secret-stdin', 'read that secret from standard input')
    .action((options: DoctorOptions) => doctor(options, version));
}

function doctor({ agent: email, secretStdin, ...options }: DoctorOptions, version: string): Promise<void> {
  return runCommand(options, async (print) => {
    const agent = email && {
      email,
      secret: await readSecret('Secret of the agent', '--secret-stdin', secretStdin === true),
    };
    const { examine } = await import('@/machine/doctor');
    const { as, url } = options;
    const checks = await examine({ version, as, url, folder: process.cwd(), agent: agent || undefined });
    const faults = checks.filter(({ state }) => state === 'fault').length;
    if (faults > 0) process.exitCode = EXIT.failed;
    print.result({ ok: faults === 0, checks }, () => checks.map(checkText).join('\n'));
  });
}

const STYLES: Record<Check['state'], Painting> = { ok: 'green', warning: 'yellow', fault: 'red' };

function checkText({ name, state, message, mend }: Check): string {
  const line = `${painted(STYLES[state], state.padEnd(7))}  ${name.padEnd(12)}  ${shown(message)}`;
  return mend === null ? line : `${line}\n${' '.repeat(23)}→ ${shown(mend)}`;
}

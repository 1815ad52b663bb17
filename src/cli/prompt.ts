/** Asks people, at a terminal; what is piped in is read instead. */

import { confirm as askConfirmation, password as askSecret, text as askText, isCancel } from '@clack/prompts';
import { MachineFailure } from '@/machine/errors';
import { EXIT } from './run';

export async function readText(message: string): Promise<string> {
  requireTerminal(message);
  return answered(await askText({ message, output: process.stderr }));
}

/** @param isPiped read it from standard input, up to the end of the line */
export async function readSecret(message: string, isPiped: boolean): Promise<string> {
  if (isPiped) return readPiped();
  requireTerminal(message);
  return answered(await askSecret({ message, output: process.stderr }));
}

/**
 * Asks for a yes or a no; no is the answer of whoever presses Enter at once.
 * @returns whether it is a yes; after Ctrl-C it is a no
 */
export async function confirmed(message: string): Promise<boolean> {
  const given = await askConfirmation({ message, initialValue: false, output: process.stderr });
  return !isCancel(given) && given;
}

/** @returns all of standard input, without the last line's end */
export async function readPiped(): Promise<string> {
  let given = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) given += String(chunk);
  return given.replace(/\r?\n$/, '');
}

function requireTerminal(message: string): void {
  if (process.stdin.isTTY) return;
  throw new MachineFailure({
    kind: 'machine',
    code: 'needs_terminal',
    message: `${message}: there is no terminal to ask at. Give it as an option; convoy login --help says how.`,
  });
}

function answered(given: string | symbol): string {
  if (isCancel(given)) process.exit(EXIT.failed);
  return given as string;
}

/** Asks people, at a terminal; what is piped in is read instead. */

import {
  confirm as askConfirmation,
  password as askSecret,
  text as askText,
  isCancel,
  multiselect,
} from '@clack/prompts';
import { MachineFailure } from '@/machine/errors';
import { shown } from './output';
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
  const given = await askConfirmation({
    message: shown(message),
    initialValue: false,
    output: process.stderr,
  });
  return !isCancel(given) && given;
}

/**
 * Goes on where a person agrees, or `--yes` was given; ends the process where they do not.
 * @throws MachineFailure `needs_terminal` where there is nobody to ask: nothing was changed
 */
export async function requireYes(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes === true || (await isAgreed(question))) return;
  process.stderr.write('Nothing was changed.\n');
  process.exit(EXIT.failed);
}

/** @throws MachineFailure `needs_terminal` */
export async function isAgreed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new MachineFailure({
      kind: 'machine',
      code: 'needs_terminal',
      message: `${question} There is no terminal to ask at, so nothing was changed. Say it by --yes.`,
    });
  }
  return confirmed(question);
}

/**
 * @param chosen values that are chosen at first
 * @throws MachineFailure `needs_terminal`
 */
export async function chooseSeveral(
  message: string,
  options: { value: string; label: string }[],
  chosen: string[],
  isJson = false,
): Promise<string[]> {
  if (isJson || !process.stdin.isTTY) {
    throw new MachineFailure({
      kind: 'machine',
      code: 'needs_terminal',
      message: `${message}: there is no terminal to ask at, so nothing was changed. Name them by --host: ${options.map(({ value }) => value).join(', ')}.`,
    });
  }
  const given = await multiselect({ message, options, initialValues: chosen, output: process.stderr });
  if (isCancel(given)) process.exit(EXIT.failed);
  return given;
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

/** Asks people, at a terminal; what is piped in is read instead. */

import {
  confirm as askConfirmation,
  password as askSecret,
  text as askText,
  isCancel,
  multiselect,
  settings,
} from '@clack/prompts';
import { MachineFailure } from '@/machine/errors';
import { shown } from './output';

// The letters of vi move a choice whatever is held down with them: Ctrl-L, which clears the screen, would turn a no into a yes.
for (const letter of ['h', 'j', 'k', 'l']) settings.aliases.delete(letter);

/** @param option how it is given without a terminal */
export async function readText(message: string, option: string): Promise<string> {
  requireTerminal(message, `give it by ${option}`);
  return answered(await askText({ message, output: process.stderr }));
}

/**
 * @param option the option by which the secret is read from standard input, up to the end of a line
 * @param isPiped whether it was given; at a terminal the secret is asked for all the same, so that it is not shown
 * @throws MachineFailure `needs_terminal`, `bad_choice`
 */
export async function readSecret(message: string, option: string, isPiped: boolean): Promise<string> {
  if (isPiped && !process.stdin.isTTY) {
    const secret = await readLine();
    if (secret !== '') return secret;
    throw new MachineFailure({
      kind: 'machine',
      code: 'bad_choice',
      message: `${message}: standard input holds none. Pipe it in, as in: ... ${option} < file`,
    });
  }
  requireTerminal(message, `pipe it in with ${option}`);
  return answered(await askSecret({ message, output: process.stderr }));
}

/**
 * Asks for a yes or a no; no is the answer of whoever presses Enter at once.
 * @returns null after Ctrl-C, which is a no to all that would be asked next, too
 */
async function ask(message: string): Promise<boolean | null> {
  const given = await askConfirmation({
    message: shown(message),
    initialValue: false,
    output: process.stderr,
  });
  return isCancel(given) ? null : given;
}

/** @returns whether it is a yes; after Ctrl-C it is a no */
export async function confirmed(message: string): Promise<boolean> {
  return (await ask(message)) === true;
}

/**
 * Goes on where a person agrees, or `--yes` was given.
 * @throws MachineFailure `needs_terminal` where there is nobody to ask, `cancelled` where it is a no: nothing was changed
 */
export async function requireYes(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes === true || (await isAgreed(question)) === true) return;
  throw cancelled();
}

/**
 * @returns null after Ctrl-C
 * @throws MachineFailure `needs_terminal`
 */
export async function isAgreed(question: string): Promise<boolean | null> {
  if (!process.stdin.isTTY) {
    throw new MachineFailure({
      kind: 'machine',
      code: 'needs_terminal',
      message: `${question} There is no terminal to ask at, so nothing was changed. Say it by --yes.`,
    });
  }
  return ask(question);
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
  if (isCancel(given)) throw cancelled();
  return given;
}

/** @returns all of standard input, without the last line's end */
export async function readPiped(): Promise<string> {
  let given = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) given += String(chunk);
  return given.replace(/\r?\n$/, '');
}

/** @returns the first line of standard input. A program that started this one may never close it. */
async function readLine(): Promise<string> {
  let given = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    given += String(chunk);
    if (given.includes('\n')) break;
  }
  return given.split(/\r?\n/, 1)[0] ?? '';
}

/** @param otherwise how to give it without a terminal */
function requireTerminal(message: string, otherwise: string): void {
  if (process.stdin.isTTY) return;
  throw new MachineFailure({
    kind: 'machine',
    code: 'needs_terminal',
    message: `${message}: there is no terminal to ask at; ${otherwise}.`,
  });
}

function answered(given: string | symbol): string {
  if (isCancel(given)) throw cancelled();
  return given as string;
}

function cancelled(): MachineFailure {
  return new MachineFailure({ kind: 'machine', code: 'cancelled', message: 'Nothing was changed.' });
}

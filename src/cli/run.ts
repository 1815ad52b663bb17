/** Runs a command for a user of this machine, and ends the process with a code that tells what became of it. */

import { count } from '@/core/count';
import { ConvoyError, detailOf } from '@/core/errors';
import { MachineFailure } from '@/machine/errors';
import type { Halt } from '@/machine/halt';
import { type FoundLink, findLink } from '@/machine/link';
import type { OpenProfile, Use } from '@/machine/open';
import { chooseProfile, type KeptProfile } from '@/machine/profiles';
import { syncShortly } from '@/machine/sending';
import { exitOf } from './exits';
import { type Printer, printer } from './output';

/** Options of every command. */
export interface CommonOptions {
  as?: string;
  url?: string;
  json?: boolean;
}

export interface Session extends OpenProfile {
  print: Printer;
  /** The folder's `convoy.json`; null without one. */
  link: FoundLink | null;
}

/** Runs a command that needs no user. */
export async function runCommand(
  options: CommonOptions,
  work: (print: Printer) => Promise<void>,
): Promise<void> {
  const print = printer(options.json === true);
  try {
    await work(print);
  } catch (error) {
    process.exitCode = tell(print, error);
  }
}

/**
 * Runs a command as a user: with their device open, which is closed afterwards.
 * @param check may refuse the user by a `MachineFailure`, before anything is opened
 */
export function runAs(
  options: CommonOptions,
  work: (session: Session) => Promise<void>,
  use: Use = 'command',
  check: (profile: KeptProfile) => void = () => undefined,
): Promise<void> {
  return runCommand(options, async (print) => {
    const link = await findLink(process.cwd());
    if (!link.ok) throw new MachineFailure(link.error);
    const profile = await chooseProfile({ as: options.as, url: options.url ?? link.value?.url });
    if (!profile.ok) throw new MachineFailure(profile.error);
    check(profile.value);
    const [{ openProfile }, { haltOf }] = await Promise.all([
      import('@/machine/open'),
      import('@/machine/halt'),
    ]);
    const open = await openProfile(profile.value, use);
    let halt: Halt | null = null;
    try {
      halt = await haltOf(open, link.value);
      await work({ ...open, print, link: link.value });
      // The command may have heard that it begins, or ends.
      if (open.isOpen()) halt = await haltOf(open, link.value);
      if (halt) print.warning(halt);
    } catch (error) {
      const isTold = error instanceof ConvoyError && error.code === halt?.code;
      if (halt && !isTold) print.warning(halt);
      throw error;
    } finally {
      await open.close();
    }
  });
}

/** Runs a command that writes: then it sends what is unsynced, for 3 s at most, and says what waits. */
export function runWriting(options: CommonOptions, work: (session: Session) => Promise<void>): Promise<void> {
  return runAs(options, async (session) => {
    await work(session);
    await sendWritten(session);
  });
}

/** Sends what a command wrote, for 3 s at most, and says what waits. */
export async function sendWritten(session: Session): Promise<void> {
  const { device, print } = session;
  await syncShortly(session);
  const { total } = await device.countUnsynced();
  if (total > 0)
    print.note(`Not on the server yet: ${count(total, 'change')}. The next sync sends what waits.`);
}

/** @returns the exit code */
function tell(print: Printer, error: unknown): number {
  const isExpected = error instanceof ConvoyError || error instanceof MachineFailure;
  if (!isExpected && !print.json) throw error;
  if (!isExpected) console.error(error);
  const detail = error instanceof MachineFailure ? error.detail : detailOf(error);
  print.result({ error: detail }, '');
  print.note(detail.message);
  return exitOf(detail);
}

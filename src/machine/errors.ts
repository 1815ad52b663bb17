/** Expected failures of the command line and the MCP server themselves; those of the Context Service are `ConvoyError`s. */

/** The address of the local stack, unless it was started with another one. */
export const DEFAULT_URL = 'http://127.0.0.1:8787';

export interface MachineError {
  kind: 'machine';
  /**
   * - `not_signed_in`: nobody fits, or the session has ended
   * - `ambiguous`: several users, or records, fit
   * - `not_linked`: no project is named, and the folder names none
   * - `bad_link`: the folder's `convoy.json` is none
   * - `not_found`: there is no such record here
   * - `needs_terminal`: a person has to do this, at a terminal
   * - `needs_person`: only a person may do this, at a terminal of their own
   * - `cancelled`: the person said no, or broke off; nothing was changed
   * - `usage`: the command line has no such command, argument, option or value, misses one, or contradicts itself
   * - `bad_choice`: what is there does not allow what is asked for
   * - `bad_settings`: the settings of a host cannot be read or written
   * - `unreachable`: the server does not answer, or is no Convoy server
   */
  code:
    | 'not_signed_in'
    | 'ambiguous'
    | 'not_linked'
    | 'bad_link'
    | 'not_found'
    | 'needs_terminal'
    | 'needs_person'
    | 'cancelled'
    | 'usage'
    | 'bad_choice'
    | 'bad_settings'
    | 'unreachable';
  message: string;
}

/** @param url of the backend that is meant. @returns the command that signs in there */
export function loginCommand(url?: string): string {
  const isDefault = url === undefined || (URL.canParse(url) && new URL(url).origin === DEFAULT_URL);
  return isDefault ? 'convoy login' : `convoy login --url ${url}`;
}

/** @param url of the backend that is meant */
export function notSignedIn(reason: string, url?: string): MachineError {
  return { kind: 'machine', code: 'not_signed_in', message: `${reason} Run: ${loginCommand(url)}` };
}

/** A failure that a caller is told of by words and a code. */
export class MachineFailure extends Error {
  constructor(readonly detail: MachineError) {
    super(detail.message);
    this.name = 'MachineFailure';
  }
}

/** @returns the failure of a command line that is wrong, whatever is there */
export function wrongUsage(message: string): MachineFailure {
  return new MachineFailure({ kind: 'machine', code: 'usage', message });
}

/** Expected failures of the command line and the MCP server themselves; those of the Context Service are `ConvoyError`s. */

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
   * - `bad_choice`: what is asked for contradicts itself, or what is there
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
    | 'bad_choice'
    | 'bad_settings'
    | 'unreachable';
  message: string;
}

/** A failure that a caller is told of by words and a code. */
export class MachineFailure extends Error {
  constructor(readonly detail: MachineError) {
    super(detail.message);
    this.name = 'MachineFailure';
  }
}

/**
 * The guard of what people alone do: approve, return, and manage agents. A guard-rail, no wall: a process of the same system user
 * can take a person's session, and leave these variables out. What holds is the server's: no agent's credential passes a checkpoint.
 */

import { MachineFailure } from '@/machine/errors';
import { agentHostOf } from './agentHosts';
import { type CommonOptions, runAs, type Session } from './run';

/** Runs a command for a person at a terminal; others are refused before a database is opened. */
export function runAsPerson(
  options: CommonOptions,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  return runAs(options, work, 'command', ({ kind, name }) => {
    const found = agentHostOf(process.env);
    if (found) {
      refuse(
        `${found.host} runs this command (${found.variable} is set). Only people approve, send back and manage agents: run it in a terminal of your own.`,
      );
    }
    if (kind === 'agent') {
      refuse(`${name} is an agent. Only people approve, send back and manage agents: name one by --as.`);
    }
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      refuse('A person has to do this at a terminal: neither input nor output may be a pipe or a file.');
    }
  });
}

function refuse(message: string): never {
  throw new MachineFailure({ kind: 'machine', code: 'needs_person', message });
}

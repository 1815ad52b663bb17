/** The commands of `convoy`. Each loads what it needs when it runs, so that help and errors of usage are there at once. */

import { Command } from 'commander';
import type { MachineError } from '@/machine/errors';
import { addAccountCommands } from './commands/account';
import { addAgentCommands } from './commands/agents';
import { addAnswerCommand } from './commands/answer';
import { addConflictsCommand } from './commands/conflicts';
import { addDoctorCommand } from './commands/doctor';
import { addInboxCommand } from './commands/inbox';
import { addMcpCommand } from './commands/mcp';
import { addRefusedCommand } from './commands/refused';
import { addReviewCommands } from './commands/reviews';
import { addStartCommand } from './commands/start';
import { addSyncCommands } from './commands/sync';
import { addTaskCommands } from './commands/tasks';
import { EXIT } from './exits';
import { printer } from './output';

/** @param args the command line, as far as it is the user's: where it asks for JSON, wrong usage is told as JSON too */
export function createProgram(version: string, args: readonly string[] = []): Command {
  const isJson = args.includes('--json');
  const program = new Command('convoy')
    .description('Convoy: tasks that people and agents share, with or without a network.')
    .version(version)
    .exitOverride(({ exitCode, code, message }) => {
      if (exitCode !== 0 && isJson) printer(true).result({ error: usageError(code, message) }, '');
      process.exit(exitCode === 0 ? EXIT.done : EXIT.usage);
    })
    .configureOutput({ writeErr: (text) => void (isJson || process.stderr.write(text)) })
    .showHelpAfterError('(convoy --help lists the commands)')
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed or refused, 2 wrong usage (a wrong value or an unclear name, too), 3 not signed in, 4 not found,
5 a person has to do this, at a terminal of their own.
With --json a command prints one JSON value; a failure is {"error": {"kind", "code", "message", ...}}.
What an agent has to heed beside it, such as a pause, is {"warning": ...} on standard error.

Environment:
  CONVOY_AGENT      who to act as, where --as is not given
  CONVOY_DATA_DIR   where sessions and databases are kept
  NO_COLOR          no colours`,
    );
  addStartCommand(program);
  addAccountCommands(program);
  addSyncCommands(program);
  addTaskCommands(program);
  addInboxCommand(program);
  addAnswerCommand(program);
  addReviewCommands(program);
  addAgentCommands(program);
  addConflictsCommand(program);
  addRefusedCommand(program);
  addDoctorCommand(program, version);
  addMcpCommand(program, version);
  for (const command of program.commands) {
    inherit(command, program);
    common(command);
  }
  return program;
}

/** @param code of commander @returns what is wrong with a command line */
export function usageError(code: string, message: string): MachineError {
  const said = code === 'commander.help' ? 'A command is missing.' : message.replace(/^error: /, '');
  return { kind: 'machine', code: 'usage', message: `${said} (convoy --help lists the commands)` };
}

/** How usage is refused: commands that are added whole do not take it from those above by themselves. */
function inherit(command: Command, above: Command): void {
  command.copyInheritedSettings(above);
  for (const below of command.commands) inherit(below, command);
}

/** The options that every command has. */
function common(command: Command): void {
  // It serves a backend, and acts as nobody.
  if (command.name() === 'start') return;
  for (const below of command.commands) common(below);
  if (command.commands.length > 0) return;
  command
    .option('--as <user>', 'who to act as: a name, an e-mail address or an id')
    .option('--url <address>', 'of the backend, where the user has several')
    .option('--json', 'print one JSON value');
}

/** The commands of `convoy`. Each loads what it needs when it runs, so that help and errors of usage are there at once. */

import { Command } from 'commander';
import { addAccountCommands } from './commands/account';
import { addAgentCommands } from './commands/agents';
import { addConflictsCommand } from './commands/conflicts';
import { addDoctorCommand } from './commands/doctor';
import { addInboxCommand } from './commands/inbox';
import { addMcpCommand } from './commands/mcp';
import { addRefusedCommand } from './commands/refused';
import { addReviewCommands } from './commands/reviews';
import { addStartCommand } from './commands/start';
import { addSyncCommands } from './commands/sync';
import { addTaskCommands } from './commands/tasks';
import { EXIT } from './run';

export function createProgram(version: string): Command {
  const program = new Command('convoy')
    .description('Convoy: tasks that people and agents share, with or without a network.')
    .version(version)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage))
    .showHelpAfterError('(convoy --help lists the commands)')
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 not signed in, 4 not found,
5 a person has to do this, at a terminal of their own.
With --json a command prints one JSON value; a failure is {"error": {"kind", "code", "message", ...}}.

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

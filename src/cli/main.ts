/** `convoy`: reads the command line and runs a command. */

import { version } from '../../package.json';
import { EXIT } from './exits';
import { createProgram } from './program';

const program = createProgram(version, process.argv.slice(2));
// A reader of the output may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
});
await program.parseAsync();

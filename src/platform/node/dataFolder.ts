import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** @returns the folder of this user's data: `CONVOY_DATA_DIR`, else the platform's usual folder. */
export function dataFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform = process.platform,
): string {
  if (environment.CONVOY_DATA_DIR) return environment.CONVOY_DATA_DIR;
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Convoy');
  return join(environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'convoy');
}

/** Where earlier versions kept the local stack's data: below the folder in which they were started. */
const EARLIER = join('.convoy', 'data');

export interface StackFolder {
  path: string;
  /** Where it would be kept now: what is used is of an earlier version. Absent: it is kept there, or was named. */
  insteadOf?: string;
}

/**
 * @param named by the user; absent: the same folder wherever the stack is started, unless an earlier version left its data here
 * @param folder the one in which the stack is started
 */
export function stackFolder(
  named: string | undefined,
  folder = process.cwd(),
  usual = join(dataFolder(), 'stack'),
): StackFolder {
  if (named !== undefined) return { path: resolve(folder, named) };
  const earlier = resolve(folder, EARLIER);
  return existsSync(join(earlier, 'stack.json')) ? { path: earlier, insteadOf: usual } : { path: usual };
}

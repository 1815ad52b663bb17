import { homedir } from 'node:os';
import { join } from 'node:path';

/** @returns the folder of this user's data: `CONVOY_DATA_DIR`, else the platform's usual folder. */
export function dataFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform = process.platform,
): string {
  if (environment.CONVOY_DATA_DIR) return environment.CONVOY_DATA_DIR;
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Convoy');
  return join(environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'convoy');
}

/** The browsers that this machine has. */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** How one kind of browser is found. */
export interface BrowserKind {
  name: string;
  /** Environment variable that names the executable to use. */
  variable: string;
  /** Names on the PATH, in the order in which they are tried. */
  commands: readonly string[];
  /** Executables within the folders of macOS applications. */
  macApps: readonly string[];
  /** @returns where the tool that drives the browser keeps its own download */
  downloaded(): string;
}

/**
 * @returns the paths of the executables to try, in order: that of the environment variable alone when it is
 * set; else those on the PATH, macOS applications, and what was downloaded
 * @throws when the variable names a file that does not exist
 */
export function findExecutables(kind: BrowserKind, env: NodeJS.ProcessEnv = process.env): string[] {
  const named = env[kind.variable];
  if (named) {
    if (!existsSync(named)) throw new Error(`${kind.variable} names ${named}, which does not exist.`);
    return [named];
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const applications =
    process.platform === 'darwin' ? ['/Applications', join(homedir(), 'Applications')] : [];
  return [
    ...kind.commands.flatMap((command) => folders.map((folder) => join(folder, command))),
    ...applications.flatMap((folder) => kind.macApps.map((app) => join(folder, app))),
    kind.downloaded(),
  ].filter((path) => existsSync(path));
}

/**
 * Starts the first executable that can be started: a name on the PATH may be a stub, as Ubuntu's, which asks
 * for a snap.
 * @throws with the command that installs one when none starts
 */
export async function startFirst<Started>(
  kind: BrowserKind,
  start: (executable: string) => Promise<Started>,
): Promise<Started> {
  const failures: string[] = [];
  for (const executable of findExecutables(kind)) {
    try {
      return await start(executable);
    } catch (error) {
      failures.push(`${executable}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const tried = failures.length > 0 ? `\n${failures.join('\n')}` : '';
  throw new Error(
    `No ${kind.name} that starts. Install one with \`npm run test:setup\`, or set ${kind.variable}.${tried}`,
  );
}

/** A browser with a profile on disk that can be killed with all its processes. */
export interface BrowserProcess<Context> {
  /** Its pages share the profile. */
  context: Context;
  /** SIGKILL to all its processes; resolves when they are gone. */
  kill(): Promise<void>;
}

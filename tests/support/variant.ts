/**
 * A variant of the project: a copy with edits, in a folder of its own, so that `@/` and `#platform`
 * resolve inside the copy. For devices of the next version. What runs in a variant runs in a process of its own: no module is shared with the test.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Replaces `find`, which must occur exactly once. The path is from the root. */
export interface Replacement {
  file: string;
  find: string;
  replace: string;
}

/** A replacement, or a whole new file. */
export type Edit = Replacement | { file: string; content: string };

/** @throws when the edit does not match exactly once */
export function replacedOnce(text: string, { file, find, replace }: Replacement): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, and not once:\n${find}`);
  return parts.join(replace);
}

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Variant {
  readonly root: string;
  /** Runs a TypeScript file of the variant to its end. */
  run(script: string, args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<Run>;
  /** Starts a TypeScript file of the variant, with a channel for messages. */
  start(script: string, args?: readonly string[]): ChildProcess;
  remove(): void;
}

const COPIED = ['src', 'supabase', 'scripts', 'tests', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

/**
 * Makes a variant.
 * @param name for people who look into the folder
 * @throws when an edit does not match exactly once, or a new file exists already
 */
export function makeVariant(name: string, edits: readonly Edit[]): Variant {
  const project = resolve('.');
  const files = editedFiles(project, edits);
  const folder = join(project, '.cache/variants');
  mkdirSync(folder, { recursive: true });
  const root = mkdtempSync(join(folder, `${name}-`));
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    for (const path of COPIED) {
      cpSync(join(project, path), join(root, path), {
        recursive: true,
        filter: (source) => !source.includes('.generated'),
      });
    }
    symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'), 'junction');
    for (const [file, text] of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
  } catch (error) {
    remove();
    throw error;
  }

  const start: Variant['start'] = (script, args = []) => launch(root, script, args, 'ipc');
  return {
    root,
    remove,
    start,
    run: (script, args = [], env = {}) => finish(launch(root, script, args, 'ignore', env)),
  };
}

/** @returns the new texts of the files that the edits change or add, by path from the root */
function editedFiles(project: string, edits: readonly Edit[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const edit of edits) {
    const path = join(project, edit.file);
    if (!('content' in edit)) {
      files.set(edit.file, replacedOnce(files.get(edit.file) ?? readFileSync(path, 'utf8'), edit));
    } else if (files.has(edit.file) || existsSync(path)) throw new Error(`${edit.file} exists already.`);
    else files.set(edit.file, edit.content);
  }
  return files;
}

function launch(
  root: string,
  script: string,
  args: readonly string[],
  channel: 'ipc' | 'ignore',
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...env },
    stdio: ['ignore', 'pipe', 'pipe', channel],
    // Dates and typed errors arrive as what they were.
    serialization: 'advanced',
  });
}

function finish(child: ChildProcess): Promise<Run> {
  return new Promise((done, failed) => {
    const run: Run = { code: null, stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk) => {
      run.stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      run.stderr += chunk;
    });
    child.once('error', failed);
    child.once('close', (code) => done({ ...run, code }));
  });
}

/** Scripts for processes of tests, each built into one module: it starts in a third of the time that tsx takes. */

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { build } from 'vite';

const built = new Map<string, Promise<string>>();

/**
 * @param script TypeScript, by its path from the root
 * @returns the path of the module that it was built into, once in this process
 */
export function builtScript(script: string): Promise<string> {
  const known = built.get(script) ?? buildScript(script);
  built.set(script, known);
  return known;
}

async function buildScript(script: string): Promise<string> {
  const done = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    resolve: { alias: { '@': resolve('src') } },
    build: { ssr: script, write: false, minify: false, target: 'node20' },
  });
  const [result] = Array.isArray(done) ? done : [done];
  if (!result || !('output' in result) || result.output.length > 1) {
    throw new Error(`${script} was not built into one module.`);
  }
  const { code } = result.output[0];
  // In the project, so that it finds the packages and the SQL; by its content, so that nobody else overwrites it.
  const folder = resolve('.cache/scripts');
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const path = resolve(folder, `${basename(script, '.ts')}-${hash}.mjs`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const unfinished = `${path}.${randomUUID()}`;
  writeFileSync(unfinished, code);
  renameSync(unfinished, path);
  return path;
}

/**
 * The code that devices run. The next version, and either version with a bug planted in it, is built into one module
 * and run beside this one, in the same process and under the same clock: a device is upgraded by being opened with
 * the next version.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';
import { NEXT_VERSION } from '../support/nextVersion';
import { type Edit, type Replacement, replacedOnce } from '../support/variant';
import * as shipped from './version';

export type Version = typeof shipped;

export interface Versions {
  readonly current: Version;
  readonly next: Version;
}

/**
 * @param edits of the code of devices, in both versions
 * @param withNext whether the next version is needed: without, it is the current one
 */
export async function versionsWith(edits: readonly Replacement[], withNext: boolean): Promise<Versions> {
  const current = edits.length === 0 ? shipped : await built(edits);
  return { current, next: withNext ? await built([...NEXT_VERSION, ...edits]) : current };
}

const versions = new Map<string, Promise<Version>>();

/** Once for the same edits. */
function built(edits: readonly Edit[]): Promise<Version> {
  const key = JSON.stringify(edits);
  const known = versions.get(key) ?? buildVersion(edits);
  versions.set(key, known);
  return known;
}

async function buildVersion(edits: readonly Edit[]): Promise<Version> {
  const { plugin, left } = edited(edits);
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { '@': resolve('src') } },
    plugins: [plugin],
    build: { ssr: 'tests/simulation/version.ts', write: false, minify: false },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (!result || !('output' in result)) throw new Error('The version was not built.');
  // A bug in code that no device runs would be planted nowhere.
  if (left.size > 0) throw new Error(`Devices do not run ${[...left].join(', ')}.`);
  // Beside the project's packages, so that it finds them.
  const folder = resolve('.cache/versions');
  mkdirSync(folder, { recursive: true });
  const path = resolve(folder, `version-${process.pid}-${versions.size}.mjs`);
  writeFileSync(path, result.output[0].code);
  try {
    return (await import(pathToFileURL(path).href)) as Version;
  } finally {
    rmSync(path);
  }
}

/** Applies edits to the files as they are read. @returns also the files that have not been read yet */
function edited(edits: readonly Edit[]): { plugin: Plugin; left: ReadonlySet<string> } {
  const replacements = new Map<string, Replacement[]>();
  const fresh = new Map<string, string>();
  for (const edit of edits) {
    const path = resolve(edit.file);
    if ('content' in edit) fresh.set(path, edit.content);
    else replacements.set(path, [...(replacements.get(path) ?? []), edit]);
  }
  const left = new Set([...replacements.keys(), ...fresh.keys()]);
  const plugin: Plugin = {
    name: 'edited-version',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!importer || !source.startsWith('.')) return null;
      const path = `${resolve(importer, '..', source)}.ts`;
      return fresh.has(path) ? path : null;
    },
    load(id) {
      left.delete(id);
      return fresh.get(id) ?? null;
    },
    transform: (code, id) => replacements.get(id)?.reduce(replacedOnce, code) ?? null,
  };
  return { plugin, left };
}

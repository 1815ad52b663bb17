/**
 * The next version of the device's code, built into one module and run beside this version, in the same
 * process and under the same clock: a device is upgraded by being opened with it.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';
import { NEXT_VERSION } from '../support/nextVersion';
import type { Edit } from '../support/variant';

export type Version = typeof import('./version');

let next: Promise<Version> | null = null;

export function nextVersion(): Promise<Version> {
  next ??= buildNext();
  return next;
}

async function buildNext(): Promise<Version> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { '@': resolve('src') } },
    plugins: [edited(NEXT_VERSION)],
    build: { ssr: 'tests/simulation/version.ts', write: false, minify: false },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (!result || !('output' in result)) throw new Error('The next version was not built.');
  // Beside the project's packages, so that it finds them.
  const folder = resolve('.cache/next-version');
  mkdirSync(folder, { recursive: true });
  const path = resolve(folder, `version-${process.pid}.mjs`);
  writeFileSync(path, result.output[0].code);
  try {
    return (await import(pathToFileURL(path).href)) as Version;
  } finally {
    rmSync(path);
  }
}

/** Applies edits to the files as they are read. */
function edited(edits: readonly Edit[]): Plugin {
  const replacements = new Map<string, { find: string; replace: string }[]>();
  const fresh = new Map<string, string>();
  for (const edit of edits) {
    const path = resolve(edit.file);
    if ('content' in edit) fresh.set(path, edit.content);
    else replacements.set(path, [...(replacements.get(path) ?? []), edit]);
  }
  return {
    name: 'next-version',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!importer || !source.startsWith('.')) return null;
      const path = `${resolve(importer, '..', source)}.ts`;
      return fresh.has(path) ? path : null;
    },
    load: (id) => fresh.get(id) ?? null,
    transform(code, id) {
      const found = replacements.get(id);
      if (!found) return null;
      let changed = code;
      for (const { find, replace } of found) {
        if (changed.split(find).length !== 2) throw new Error(`${id} does not hold once:\n${find}`);
        changed = changed.replace(find, () => replace);
      }
      return changed;
    },
  };
}

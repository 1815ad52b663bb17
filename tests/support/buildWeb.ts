/** Before the browser tests, once: builds the app when the sources have changed. */

import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { ensureBuild } from '../../scripts/build/ensureBuild.mjs';
import { buildStoragePage } from './storageLab';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the built page of the storage tests is. */
    storagePage: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  if (!ensureBuild()) throw new Error('The web app cannot be built.');
  const folder = await buildStoragePage();
  project.provide('storagePage', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}

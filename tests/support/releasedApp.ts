/** A copy of the built app, of which a server can have newer versions. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

export class ReleasedApp {
  /** The folder that a server serves. */
  readonly webRoot = mkdtempSync(join(tmpdir(), 'convoy-web-root-'));

  constructor() {
    cpSync(fileURLToPath(new URL('../../dist/web', import.meta.url)), this.webRoot, { recursive: true });
  }

  /** The server has another version of the app from now on. */
  release(title: string): void {
    const file = (name: string) => join(this.webRoot, name);
    const page = readFileSync(file('index.html'), 'utf8');
    writeFileSync(file('index.html'), page.replace(/<title>.*<\/title>/, `<title>${title}</title>`));
    const worker = readFileSync(file('serviceWorker.js'), 'utf8');
    const listed = /(?<="revision":")[^"]*(?=","url":"index.html")/;
    expect(worker).toMatch(listed);
    writeFileSync(file('serviceWorker.js'), worker.replace(listed, title));
  }

  remove(): void {
    rmSync(this.webRoot, { recursive: true, force: true });
  }
}

/** Before the browser tests, once: what the server is going to serve is what the sources say. */

import { ensureBuild } from '../../scripts/ensure-build.mjs';

export default function setup(): void {
  if (!ensureBuild()) throw new Error('The web app cannot be built.');
}

/** Loads the editor when somebody begins to write. */

import type { MountEditor } from './editorOptions';

let loaded: MountEditor | null = null;
let loading: Promise<MountEditor | null> | null = null;

/** The editor, where it is here already. */
export function loadedEditor(): MountEditor | null {
  return loaded;
}

/** @returns null where it cannot be loaded: a plain text field does then, and the next one that is opened tries again. */
export function loadEditor(): Promise<MountEditor | null> {
  loading ??= import('./codeMirror').then(
    ({ mountCodeMirror }) => {
      loaded = mountCodeMirror;
      return mountCodeMirror;
    },
    () => {
      loading = null;
      return null;
    },
  );
  return loading;
}

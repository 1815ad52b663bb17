import { Toast } from '@base-ui/react/toast';

/** Base UI's, which forgets what is added while nothing shows it. */
export const toastManager = Toast.createToastManager();

type Note = Parameters<typeof toastManager.add>[0];

let waiting: readonly (Note & { id: string })[] = [];
let isShown = false;
let nextId = 1;
const listeners = new Set<() => void>();

function wait(next: typeof waiting): void {
  waiting = next;
  for (const notify of listeners) notify();
}

/** Short notes that come and go: what was done, and where it is. They wait until the part that shows them is there. */
export const toasts = {
  /** @returns its id, to close it by */
  add(note: Note): string {
    if (isShown) return toastManager.add(note);
    const id = `waiting-${nextId}`;
    nextId += 1;
    wait([...waiting, { ...note, id }]);
    return id;
  },
  close(id: string): void {
    if (isShown) toastManager.close(id);
    else wait(waiting.filter((note) => note.id !== id));
  },
  areWanted: () => isShown || waiting.length > 0,
  onWanted(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** The part that shows them is there. @returns a function that says it is gone */
  beginShowing(): () => void {
    isShown = true;
    for (const note of waiting) toastManager.add(note);
    wait([]);
    return () => {
      isShown = false;
    };
  },
};

/** Changes that a person can take back: told in a toast with a button, and by Ctrl/⌘ Z, the latest first. */

import { describeError } from '../ui/errorText';
import { toasts } from '../ui/toasts';

interface Undoable {
  /** Of the toast that offers it. */
  toast: string;
  /** Rejects where it cannot be taken back any more. */
  undo: () => Promise<unknown>;
}

/** A page offers no more than these. */
const MOST = 50;
const done: Undoable[] = [];

/** @param title what was done, in a sentence */
export function offerUndo(title: string, undo: () => Promise<unknown>): void {
  const entry: Undoable = { toast: '', undo };
  entry.toast = toasts.add({
    title,
    actionProps: { children: 'Undo', onClick: () => void takeBack(entry) },
  });
  done.push(entry);
  if (done.length > MOST) done.shift();
}

/** @returns whether there was anything to take back */
export function undoLatest(): boolean {
  const entry = done.at(-1);
  if (entry) void takeBack(entry);
  return entry !== undefined;
}

async function takeBack(entry: Undoable) {
  const at = done.indexOf(entry);
  if (at < 0) return;
  done.splice(at, 1);
  toasts.close(entry.toast);
  try {
    await entry.undo();
  } catch (error) {
    const { headline, detail } = describeError(error);
    toasts.add({ title: `This could not be undone. ${headline}`, description: detail, priority: 'high' });
  }
}

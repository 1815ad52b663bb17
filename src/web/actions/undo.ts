/** Changes that a person can take back: told in a toast with a button, and by Ctrl/⌘ Z, the latest first. */

import { describeError } from '../ui/errorText';
import { toasts } from '../ui/toasts';

type Undo = () => Promise<unknown>;

interface Undoable {
  /** Of the toast that offers it; null until it does. */
  toast: string | null;
  /** The change that takes it back; null: there is none. Rejects where the change was not made. */
  made: Promise<Undo | null>;
}

/** A page offers no more than these. */
const MOST = 50;
const done: Undoable[] = [];

/**
 * Makes a change, and offers to take it back. A list may show the change before it is stored: Ctrl/⌘ Z that comes in between
 * waits for it, and takes back no earlier change instead.
 * @param title what was done, in a sentence
 * @param change resolves to what takes it back, which rejects where that is not possible any more; null: nothing does.
 *   Where it rejects, so does this.
 */
export async function makeUndoable(title: string, change: () => Promise<Undo | null>): Promise<void> {
  const entry: Undoable = { toast: null, made: change() };
  done.push(entry);
  if (done.length > MOST) done.shift();
  try {
    const isUndoable = (await entry.made) !== null;
    if (isUndoable && done.includes(entry)) {
      entry.toast = toasts.add({
        title,
        actionProps: { children: 'Undo', onClick: () => void takeBack(entry) },
      });
    } else forget(entry);
  } catch (error) {
    forget(entry);
    throw error;
  }
}

/** Takes back what was done last, once. */
export function undoLatest(): void {
  const entry = done.at(-1);
  if (entry) void takeBack(entry);
}

/** One after the other: an earlier change is taken back from what the later one was made of. */
let last: Promise<void> = Promise.resolve();

function takeBack(entry: Undoable): Promise<void> {
  if (forget(entry)) last = last.then(() => run(entry));
  return last;
}

async function run(entry: Undoable): Promise<void> {
  // The caller of `makeUndoable` tells why a change failed.
  const undo = await entry.made.catch(() => null);
  if (entry.toast !== null) toasts.close(entry.toast);
  try {
    await undo?.();
  } catch (error) {
    const { headline, detail } = describeError(error);
    toasts.add({ title: `This could not be undone. ${headline}`, description: detail, priority: 'high' });
  }
}

/** @returns whether it was there */
function forget(entry: Undoable): boolean {
  const at = done.indexOf(entry);
  if (at >= 0) done.splice(at, 1);
  return at >= 0;
}

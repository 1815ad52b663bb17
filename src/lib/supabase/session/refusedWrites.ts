/**
 * Outlasts a storage that refuses a write (a full disk): the new token of a session must not be lost by that, and a session that
 * is removed must not come back.
 */

import type { Storage } from './deviceTime';

interface Refused {
  /** null: the storage refused to remove what it holds. */
  text: string | null;
  /** The text that the storage held when it refused; null: none. */
  over: string | null;
}

/** @returns a storage that keeps in memory what the other one refuses, removals too, and tries again when it is read the next time */
export function outlastingRefusals(inner: Storage): Storage {
  const refused = new Map<string, Refused>();
  let queue: Promise<unknown> = Promise.resolve();

  /** A write that is tried again must not overtake a newer one. */
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };

  const write = async (name: string, text: string | null): Promise<void> => {
    try {
      await (text === null ? inner.removeItem(name) : inner.setItem(name, text));
      refused.delete(name);
    } catch {
      refused.set(name, { text, over: await inner.getItem(name) });
    }
  };

  return {
    getItem: (name) =>
      inOrder(async () => {
        const stored = await inner.getItem(name);
        const kept = refused.get(name);
        if (!kept) return stored;
        if (stored === kept.over) {
          await write(name, kept.text);
          return kept.text;
        }
        // Another client has stored a newer session.
        refused.delete(name);
        return stored;
      }),
    setItem: (name, text) => inOrder(() => write(name, text)),
    removeItem: (name) => inOrder(() => write(name, null)),
  };
}

let answer: Promise<boolean> | null = null;

/** @returns whether this window offers what SQLite's files need: OPFS, Web Locks, BroadcastChannel. Some private windows do not. */
export function hasOpfs(): Promise<boolean> {
  answer ??= ask();
  return answer;
}

async function ask(): Promise<boolean> {
  if (!navigator.locks || !navigator.storage?.getDirectory || !globalThis.BroadcastChannel) return false;
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}

let answer: Promise<boolean> | null = null;

/** @returns whether this window can keep SQLite's files. Private windows of some browsers cannot. */
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

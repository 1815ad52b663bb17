let answer: Promise<boolean> | null = null;

/** @returns whether this window offers what SQLite's files need: OPFS, Web Locks, BroadcastChannel. Some private windows do not. */
export function hasOpfs(): Promise<boolean> {
  answer ??= ask();
  return answer;
}

/** @returns whether it offers the interfaces; in some private windows they are there and refuse. Without https most are missing. */
export function mayHaveOpfs(): boolean {
  const isOffered = 'locks' in navigator && 'storage' in navigator && 'BroadcastChannel' in globalThis;
  return isOffered && 'getDirectory' in navigator.storage;
}

async function ask(): Promise<boolean> {
  if (!mayHaveOpfs()) return false;
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}

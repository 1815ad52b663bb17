/** A worker that keeps the files of a database open without having its lock. */

interface Handle {
  kind: string;
  createSyncAccessHandle(): Promise<{ close(): void }>;
}

globalThis.onmessage = async ({ data }: MessageEvent<{ name: string; forMs: number }>) => {
  let folder = await navigator.storage.getDirectory();
  for (const part of ['convoy', data.name, '.opaque']) folder = await folder.getDirectoryHandle(part);
  const held: { close(): void }[] = [];
  for await (const file of (folder as unknown as { values(): AsyncIterable<Handle> }).values()) {
    held.push(await file.createSyncAccessHandle());
  }
  globalThis.postMessage(held.length);
  setTimeout(() => {
    for (const handle of held) handle.close();
  }, data.forMs);
};

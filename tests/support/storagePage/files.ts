/** What tests do to the files of a database behind the platform's back. */

/**
 * Opens the files of a database as a worker does that nobody has told to stop, without asking for the
 * lock. @returns how many; after `forMs` they are let go
 */
export function holdFiles(name: string, forMs: number): Promise<number> {
  const worker = new Worker(new URL('./holder.ts', import.meta.url), { type: 'module' });
  return answerOf(worker, { name, forMs });
}

/** @returns the result of opening the files when the browser refuses the n-th one */
export async function failInstall(name: string, failAt: number): Promise<{ outcome: string; calls: number }> {
  const worker = new Worker(new URL('./failingInstall.ts', import.meta.url), { type: 'module' });
  const answer = await answerOf<{ outcome: string; calls: number }>(worker, { name, failAt });
  worker.terminate();
  return answer;
}

/** Begins to salvage a damaged database, and breaks off. @returns the database files that were opened, in order */
export async function tearReplacement(name: string): Promise<{ outcome: string; opened: string[] }> {
  const worker = new Worker(new URL('./tornReplacement.ts', import.meta.url), { type: 'module' });
  const answer = await answerOf<{ outcome: string; opened: string[] }>(worker, { name });
  worker.terminate();
  return answer;
}

function answerOf<T>(worker: Worker, message: unknown): Promise<T> {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<T>) => resolve(data);
    worker.postMessage(message);
  });
}

/** Bytes before the database in a file of the VFS. */
const VFS_HEADER = 4096;

interface Folder {
  values(): AsyncIterable<FileSystemFileHandle>;
}

async function filesOf(name: string): Promise<FileSystemFileHandle[]> {
  let folder = await navigator.storage.getDirectory();
  for (const part of ['convoy', name, '.opaque']) folder = await folder.getDirectoryHandle(part);
  const files: FileSystemFileHandle[] = [];
  for await (const file of (folder as unknown as Folder).values()) files.push(file);
  return files;
}

/** @returns the bytes of all files of a closed database */
export async function sizeOf(name: string): Promise<number> {
  const sizes = (await filesOf(name)).map(async (file) => (await file.getFile()).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/**
 * Overwrites a page of a closed database, counted from its beginning.
 * @param only the database file of this name; by default every one
 */
export async function damage(name: string, page: number, only = ''): Promise<void> {
  for (const file of await filesOf(name)) {
    const content = await file.getFile();
    if (content.size < 100_000) continue;
    const path = await content.slice(0, 512).text();
    if (!path.startsWith(`/${only}`)) continue;
    const header = await content.slice(VFS_HEADER, VFS_HEADER + 100).arrayBuffer();
    const pageSize = new DataView(header).getUint16(16);
    const writable = await onceFree(() => file.createWritable({ keepExistingData: true }));
    const position = VFS_HEADER + pageSize * page;
    await writable.write({ type: 'write', position, data: new Uint8Array(pageSize).fill(0x5a) });
    await writable.close();
  }
}

/** Tries again while a worker that is ending still has the file open. */
async function onceFree<T>(open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NoModificationAllowedError') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

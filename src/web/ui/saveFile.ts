/** Downloads content as a file. @param type its media type */
export function saveFile(name: string, content: string | Uint8Array, type: string): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // By then the browser has read the URL; revoking it frees the memory.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

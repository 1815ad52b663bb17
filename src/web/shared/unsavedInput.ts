/** Whether the person has typed something that a reload would lose. */
export function hasUnsavedInput(): boolean {
  if (document.querySelector('dialog[open]')) return true;
  return [...document.querySelectorAll('textarea')].some(({ value }) => value.trim() !== '');
}

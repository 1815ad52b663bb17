/** Marks the rows of the inbox. */
export const ROW = 'data-inbox-row';

/**
 * The keys of the open item are not meant for it while the focus is on the row of another one: they open that one first.
 * @returns whether they did
 */
export function openFocused(): boolean {
  const row = document.activeElement;
  if (!(row instanceof HTMLElement) || !row.hasAttribute(ROW) || row.hasAttribute('aria-current'))
    return false;
  row.click();
  return true;
}

/** Fields that hold more than a search or a text to copy. An editor says by itself whether it holds a text. */
const TYPED =
  'textarea, input:is([type="email"], [type="password"], [type="text"], :not([type])):not([readonly])';

/** Whether the person has typed something that a reload would lose. */
export function hasUnsavedInput(): boolean {
  if (document.querySelector('[role="dialog"], [data-editor="typed"]')) return true;
  const typed = document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(TYPED);
  return [...typed].some(({ value }) => value.trim() !== '');
}

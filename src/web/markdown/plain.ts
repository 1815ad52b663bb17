/** Texts that are shown as they were typed. Pure, and run by the page itself: a text by anybody must not hold it up. */

/**
 * Characters that mean something in Markdown. At the start of a line spaces alone may stand before them, not line ends: a text of
 * empty lines would be looked through anew from each of them.
 */
const MARKS = /[#*_`~[\]<>|&\\+=]|https?:|www\.|@|^[ \t]*(?:-|\d+[.)])\s|^ {4}|^---/m;

/** Paragraphs that are elements of their own; what follows is one more. */
export const MOST_PARAGRAPHS = 1_000;

/** @returns whether a text is shown as it is, and needs no parser */
export function isPlain(text: string): boolean {
  return !MARKS.test(text);
}

/** @returns paragraphs with keys: two of them may be equal */
export function paragraphsOf(text: string): [number, string][] {
  const all = text.replaceAll('\r\n', '\n').split(/\n{2,}/);
  const rest = all.splice(MOST_PARAGRAPHS);
  if (rest.length > 0) all.push(rest.join('\n\n'));
  return all.map((paragraph, index) => [index, paragraph]);
}

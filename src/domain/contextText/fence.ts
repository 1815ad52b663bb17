/** Markdown in which text of members stands as data: in fences and code spans that it cannot close. Pure. */

import { clean, cutAt } from './clean';

/** @returns the length of the longest run of backticks. */
function longestRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}

/** @param text cleaned. @returns a fenced block with the text, and a line feed at its end. */
export function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}text\n${text}\n${fence}\n`;
}

/** @returns a code span with a line of a member's text, of at most so many characters. */
export function span(given: string, most = 200): string {
  const line = clean(given, most * 4)
    .text.replace(/\s+/g, ' ')
    .trim();
  if (line === '') return '(nothing to be seen)';
  const text = line.length > most ? `${cutAt(line, most)}…` : line;
  const ticks = '`'.repeat(longestRun(text) + 1);
  const isTick = (character: string | undefined) => character === '`';
  const pad = isTick(text[0]) || isTick(text.at(-1)) ? ' ' : '';
  return ticks + pad + text + pad + ticks;
}

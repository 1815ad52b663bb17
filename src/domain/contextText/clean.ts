/** Makes text of members fit to be shown to an agent: nothing hidden in it, no run that a tokenizer needs long for. Pure. */

/**
 * Characters that cannot be seen, or reorder those that can: control characters but tab and line feed, blank letters, format and bidi
 * characters, variation selectors, Unicode tags, noncharacters, halves of surrogate pairs. Ranges rather than properties of
 * Unicode, which change with its version: a hash of the text is the same in every engine.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each is listed by itself
  /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** Every character that ends a line somewhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const LINE_ENDS = /\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g;

/** The longest unbroken run that a tokenizer is given: its time grows with the square of a run. */
const MOST_RUN = 1000;
/** Runs that o200k takes for one piece before it looks for tokens: letters with marks; signs with the line ends and slashes after them. */
const RUNS = /[\p{L}\p{M}]{1001,}|(?:[^\s\p{L}\p{N}]|[\r\n]){1001,}/gu;
const WHITE_RUNS = /\s{101,}/g;

export interface Cleaned {
  text: string;
  /** How many hidden characters were removed. */
  hidden: number;
}

/** @param most characters that are looked at; what is behind them is left out */
export function clean(given: string, most: number): Cleaned {
  let hidden = 0;
  const visible = cutAt(given, most)
    .replace(LINE_ENDS, '\n')
    .replace(HIDDEN, () => {
      hidden += 1;
      return '';
    });
  const text = visible
    .replace(WHITE_RUNS, (run) => run.slice(0, 100))
    .replace(RUNS, (run) => {
      const parts: string[] = [];
      const characters = [...run];
      for (let at = 0; at < characters.length; at += MOST_RUN) {
        parts.push(characters.slice(at, at + MOST_RUN).join(''));
      }
      return parts.join('\n…\n');
    });
  return { text, hidden };
}

/** @returns the beginning of a text, of at most so many UTF-16 units, without half a character at its end. */
export function cutAt(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}

/** Random numbers from a seed: every run measures the same rows. */

export type Random = () => number;

/** @returns numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param atMs the moment that the UUIDv7 names, ms since the epoch */
export function uuidAt(atMs: number, random: Random): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  const time = atMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
}

const SYLLABLES = 'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu'.split(' ');

/** @returns sentences made of a vocabulary of 8,000 words, about this many characters */
export function textOf(characters: number, random: Random): string {
  let text = '';
  while (text.length < characters) {
    const word = Math.floor(8_000 * random() ** 2);
    text += `${SYLLABLES[word % 20]}${SYLLABLES[Math.floor(word / 20) % 20]}${SYLLABLES[Math.floor(word / 400)] ?? ''} `;
  }
  return text.trimEnd();
}

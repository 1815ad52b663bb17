/** Finding tasks by words of their titles and by their keys: case, and how a letter is composed, make no difference. Pure. */

/** @returns the text in the form in which two texts are compared. */
export function folded(text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC');
}

/** @returns whether a title contains every word that a person typed, in any order; any title contains nothing. */
export function containsText(title: string, typed: string): boolean {
  const all = folded(title);
  return folded(typed.trim())
    .split(/\s+/u)
    .every((word) => all.includes(word));
}

/**
 * @returns the longest run of ASCII letters and digits that any title with the text contains, whatever its case; '' where
 * it has none. Databases that fold ASCII alone can look for it. K is left out: the Kelvin sign folds to it.
 */
export function plainPart(typed: string): string {
  const runs = typed.normalize('NFC').match(/[a-jl-z0-9]+/gi) ?? [];
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), '').toLowerCase();
}

/** A key as people type it: with a dash, a space or nothing before the number, or the number alone. */
const TYPED_KEY = /^(?:([a-z][a-z0-9]{0,9}?)[\s-]*)?([1-9][0-9]{0,9})$/i;

/** @returns the end of the keys that a person may mean: `FIELD-2` for "field 2", `-2` for "2"; null: it is no key. */
export function keyEnd(typed: string): string | null {
  const [, prefix = '', number] = TYPED_KEY.exec(typed.trim()) ?? [];
  return number === undefined ? null : `${prefix.toUpperCase()}-${number}`;
}

/** @returns whether a person who typed this may mean the task that has the key. */
export function isKeyTyped(key: string | null, typed: string): boolean {
  const end = keyEnd(typed);
  if (key === null || end === null) return false;
  // Without a dash, a digit may belong to either part: "ab231" is AB-231 or AB2-31.
  if (key.replace('-', '') === typed.trim().toUpperCase()) return true;
  return end.startsWith('-') ? key.endsWith(end) : key === end;
}

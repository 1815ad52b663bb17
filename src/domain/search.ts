/** Finding text in titles: case, and how a letter is composed, make no difference. Pure. */

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

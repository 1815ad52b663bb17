/** A text that is edited in place while others may change it. Pure. */

import { orNull } from '../ui/formValues';

export interface InPlaceText {
  text: string;
  /** The value of the record when the person began to type. */
  base: string;
  /** Until something is typed it follows the record. */
  isTyped: boolean;
}

/**
 * @param present what the record has now
 * @returns what others have made of the text since; null where they have not, or where it is what the person has typed
 */
export function overtaken({ text, base, isTyped }: InPlaceText, present: string): string | null {
  return isTyped && present !== base && present !== text ? present : null;
}

/** @returns the value of the column: a title is one line, and a description without letters is none */
export function savedValue(column: 'title' | 'description', text: string): string | null {
  return column === 'title' ? oneLine(text) : orNull(text);
}

/** Texts are pasted with their line ends. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim();
}

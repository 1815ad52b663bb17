/** Texts that go into the details of feed entries: bounded, and such that something can be seen of them. */

import type { ValidationError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import { charactersIn, hasUnstorableCharacter, isBlank } from '@/core/text';
import { invalid } from '../validation';

/** @param most characters */
export function checkText(field: string, value: unknown, most: number): Result<string, ValidationError> {
  if (value === undefined || value === null) return invalid('required', field, `Give a ${field}.`);
  if (typeof value !== 'string')
    return invalid('bad_value', field, `The ${field} must be text. Give a string.`);
  if (hasUnstorableCharacter(value)) {
    const message = `The ${field} holds a character that cannot be stored (NUL, or half of a surrogate pair). Remove it.`;
    return invalid('bad_character', field, message);
  }
  if (isBlank(value)) return invalid('required', field, `Give a ${field} of which something can be seen.`);
  const length = charactersIn(value);
  return length > most
    ? invalid('too_long', field, `The ${field} is ${length} characters long; shorten it to ${most}.`)
    : ok(value);
}

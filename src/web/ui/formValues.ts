import { canonicalDay } from '@/core/text';

/** @returns the text, or null for an empty field. */
export function orNull(text: string): string | null {
  return text.trim() === '' ? null : text;
}

/**
 * A date field's value as a time that means a day: the date alone, which is the same wherever it is picked. What is no date
 * is refused where it is written.
 */
export function toTime(date: string): string | null {
  return date === '' ? null : date;
}

/** A day as a date field's value: its date in UTC, wherever it is read. */
export function toDateField(day: string | null): string {
  return canonicalDay(day)?.slice(0, 10) ?? '';
}

const dayFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

/** @returns a day in words: its date in UTC, wherever it is read. Days that earlier versions stored count as the one they meant. */
export function dayText(day: string): string {
  const noon = canonicalDay(day);
  return noon === null ? day : dayFormat.format(new Date(noon));
}

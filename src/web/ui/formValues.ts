/** @returns the text, or null for an empty field. */
export function orNull(text: string): string | null {
  return text.trim() === '' ? null : text;
}

/** A date field's value as a time: the end of that day, here. */
export function toTime(date: string): string | null {
  return date === '' ? null : new Date(`${date}T23:59:59`).toISOString();
}

/** A time as a date field's value: its day, here. */
export function toDateField(time: string | null): string {
  if (time === null) return '';
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

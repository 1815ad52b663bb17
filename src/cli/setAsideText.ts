/** Conflicts and refused changes at a terminal. */

import { count } from '@/core/count';
import type { ListedChange, ListedConflict, ListedField, ListedGroup, RecordName } from '@/machine/setAside';
import { difference } from './difference';
import { clipped, painted, shown } from './output';

/** Characters of a value on one line, and of a title. */
const MOST_SHOWN = 100;
const MOST_TITLE = 70;
/** Lines of a difference that are shown. */
const MOST_LINES = 30;

export function conflictText(entry: ListedConflict): string {
  const fields = entry.open ? entry.fields.filter(({ open }) => open) : entry.fields;
  const head = `${entry.number}  ${entry.short_id}  ${entry.what} ${entry.noun} ${nameText(entry)}`;
  return [painted('bold', head), ...fields.flatMap(fieldLines)].join('\n');
}

function fieldLines({ name, before, mine, theirs }: ListedField): string[] {
  const values = [before, mine, theirs].map(valueText);
  const [was, ours, other] = values as [string, string, string];
  if (!values.some((value) => value.includes('\n'))) {
    return [
      `   ${name}`,
      `     before  ${clipped(was, MOST_SHOWN)}`,
      `     mine    ${clipped(ours, MOST_SHOWN)}`,
      `     theirs  ${clipped(other, MOST_SHOWN)}`,
    ];
  }
  const lines = difference(ours, other);
  const hidden = lines.length - MOST_LINES;
  return [
    `   ${name}, - mine, + theirs`,
    ...lines.slice(0, MOST_LINES).map(({ mark, text }) => `     ${mark} ${clipped(text, MOST_SHOWN)}`),
    ...(hidden > 0 ? [`     and ${count(hidden, 'more line')}; --json has all of it`] : []),
  ];
}

export function groupText({ number, short_id, message, code, field, changes }: ListedGroup): string {
  const about = field === null ? code : `${code}, ${field}`;
  const head = `${number}  ${short_id}  ${clipped(message, 200)} (${shown(about)})`;
  return [painted('bold', head), ...changes.flatMap(changeLines)].join('\n');
}

function changeLines(change: ListedChange): string[] {
  const head = `   ${change.verb} the ${change.noun} ${nameText(change)}`;
  const fields = change.fields.map(({ name, before, wanted }) => {
    const from = before === undefined ? '' : `${clipped(valueText(before), MOST_SHOWN)} → `;
    return `     ${name}  ${from}${clipped(valueText(wanted), MOST_SHOWN)}`;
  });
  return [head, ...fields];
}

/** The key, where there is one, and the title, cut. */
export function nameText({ key, title }: RecordName): string {
  return [key, title === null ? null : `"${clipped(title, MOST_TITLE)}"`].filter(Boolean).join(' ');
}

function valueText(value: unknown): string {
  if (value === null || value === '') return 'nothing';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

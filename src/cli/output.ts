/** The output of commands: data on standard output, everything else on standard error. */

import { stderr, stdout } from 'node:process';

export interface Printer {
  readonly json: boolean;
  /** The one result: as JSON where that was asked for, else as text. */
  result(value: unknown, text: string | (() => string)): void;
  /** Something to heed beside the result, on standard error: as JSON where that was asked for, else as text. */
  warning(detail: { kind: string; code: string; message: string }): void;
  /** For people alone: progress and hints. */
  note(text: string): void;
}

export function printer(json: boolean): Printer {
  return {
    json,
    result: (value, text) => {
      const told = json ? safeJson(value) : harmless(typeof text === 'string' ? text : text());
      if (told !== '') stdout.write(`${told}\n`);
    },
    warning: (detail) => {
      stderr.write(`${json ? safeJson({ warning: detail }) : harmless(detail.message)}\n`);
    },
    note: (text) => {
      if (!json) stderr.write(`${harmless(text)}\n`);
    },
  };
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Painting = keyof typeof CODES;

/** Colours on a terminal alone, unless `NO_COLOR` is set. */
export function painted(style: Painting, text: string): string {
  const plain = !stdout.isTTY || (process.env.NO_COLOR ?? '') !== '';
  return plain ? text : `\u001b[${CODES[style]}m${text}\u001b[0m`;
}

/** Characters that a terminal may take for an order, or that turn the order of others around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
const ORDERS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of `painted`, and tabs
const OWN = /(\u001b\[(?:[012]|3[123])m|\t)/;

/** Whatever a command tells, whoever wrote it: no order to a terminal passes but the colours of `painted`. */
function harmless(text: string): string {
  const parts = text.replaceAll('\r\n', '\n').split(OWN);
  return parts.map((part, index) => (index % 2 === 1 ? part : shown(part))).join('');
}

/** JSON leaves some of these as they are. */
function safeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    ORDERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Escape sequences of a terminal and other control characters are text of others, not orders to this terminal. */
export function shown(text: string): string {
  return text.replaceAll(ORDERS, '\ufffd');
}

/** @returns rows of texts in columns, the last one as long as it is */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Columns of a terminal that a text takes; wide characters take two. */
function width(text: string): number {
  let columns = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no column
  for (const character of text.replaceAll(/\u001b\[\d+m/g, '')) {
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}

/** @returns a text on one line, cut to so many characters */
export function clipped(text: string, most: number): string {
  const line = shown(text).replaceAll(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`;
}

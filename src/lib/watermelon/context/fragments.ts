/** SQL put together from pieces that bring their arguments along, so that each stands where its `?` does. */

import type { StoredQuery } from '@/core/storage';

/** The argument of a `?`, made at each call. */
export type Argument<Given> = (given: Given) => string | number;

export interface Fragment<Given> {
  text: string;
  args: readonly Argument<Given>[];
}

/** @returns the text with each fragment put in its place, and a `?` for each argument; other values are SQL text. */
export function sqlOf<Given>() {
  return (texts: TemplateStringsArray, ...pieces: (Fragment<Given> | Argument<Given> | string)[]) => {
    let text = texts[0] ?? '';
    const args: Argument<Given>[] = [];
    for (const [index, piece] of pieces.entries()) {
      if (typeof piece === 'string') text += piece;
      else if (typeof piece === 'function') {
        text += '?';
        args.push(piece);
      } else {
        text += piece.text;
        args.push(...piece.args);
      }
      text += texts[index + 1] ?? '';
    }
    return { text, args } satisfies Fragment<Given>;
  };
}

export function queryOf<Given>({ text, args }: Fragment<Given>, given: Given): StoredQuery {
  return { sql: text, args: args.map((argument) => argument(given)) };
}

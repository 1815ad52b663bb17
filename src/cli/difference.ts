/** Two texts beside each other, line by line. */

/** Lines shown before and after what differs. */
const AROUND = 2;

/** A line that both have (` `), that only the first has (`-`), or only the second (`+`). */
export interface DifferenceLine {
  mark: ' ' | '-' | '+';
  text: string;
}

/** @returns the lines that differ, from the first to the last of them, with two lines around; none where the texts are alike */
export function difference(before: string, after: string): DifferenceLine[] {
  if (before === after) return [];
  const [old, young] = [linesOf(before), linesOf(after)];
  const shorter = Math.min(old.length, young.length);
  let head = 0;
  while (head < shorter && old[head] === young[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old[old.length - 1 - tail] === young[young.length - 1 - tail]) tail += 1;
  const marked = (mark: DifferenceLine['mark'], lines: string[]) => lines.map((text) => ({ mark, text }));
  return [
    ...marked(' ', old.slice(Math.max(0, head - AROUND), head)),
    ...marked('-', old.slice(head, old.length - tail)),
    ...marked('+', young.slice(head, young.length - tail)),
    ...marked(' ', old.slice(old.length - tail, old.length - tail + AROUND)),
  ];
}

/** The end of the last line is no line of its own. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

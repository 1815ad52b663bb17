/** Places of tasks in an order by hand, as numbers between those of their neighbours. Pure. */

import type { TaskPlace } from '@/domain/taskBatches';

/** The least distance of places that are numbered anew, as a multiple of what numbers of their size can tell apart. */
const ROOM = 1024;

/**
 * Puts a task between others. Where the numbers of its neighbours have no room between them, as few neighbours as possible on
 * one side are numbered anew.
 * @param others in the order by hand, without the task
 * @param at the index among them before which it comes; their number: it comes last
 * @returns the places that change, that of the task first
 */
export function placesFor(id: string, others: readonly TaskPlace[], at: number): TaskPlace[] {
  const before = others[at - 1]?.sort_order;
  const after = others[at]?.sort_order;
  const between = evenly(before, after, 1, 0);
  if (between) return [{ id, sort_order: between[0] as number }];
  const [down, up] = [moveDown(others, at), moveUp(others, at)];
  if (down.length < up.length) {
    const moved = others.slice(at - down.length + 1, at);
    return placed(id, down.at(-1) as number, moved, down);
  }
  const [own = 0, ...rest] = up;
  return placed(id, own, others.slice(at, at + rest.length), rest);
}

function placed(id: string, own: number, moved: readonly TaskPlace[], numbers: readonly number[]) {
  return [
    { id, sort_order: own },
    ...moved.map((other, n) => ({ id: other.id, sort_order: numbers[n] as number })),
  ];
}

/** @returns numbers for the task and for those after it that make room. */
function moveUp(others: readonly TaskPlace[], at: number): number[] {
  const before = others[at - 1]?.sort_order;
  for (let moved = 1; ; moved += 1) {
    const numbers = evenly(before, others[at + moved]?.sort_order, moved + 1);
    if (numbers) return numbers;
  }
}

/** @returns numbers for those before the task that make room, and for the task. */
function moveDown(others: readonly TaskPlace[], at: number): number[] {
  const after = others[at]?.sort_order;
  for (let moved = 1; ; moved += 1) {
    const numbers = evenly(others[at - moved - 1]?.sort_order, after, moved + 1);
    if (numbers) return numbers;
  }
}

/**
 * @param room how much they have to be apart
 * @returns so many numbers between two bounds, each as far from the next; undefined where there is no room. A missing bound is none.
 */
function evenly(
  lower: number | undefined,
  upper: number | undefined,
  count: number,
  room = ROOM,
): number[] | undefined {
  const size = Math.max(Math.abs(lower ?? 0), Math.abs(upper ?? 0), Number.MIN_VALUE);
  const least = size * Number.EPSILON * room;
  if (lower === undefined || upper === undefined) {
    const step = Math.max(1, least, size * Number.EPSILON * 2);
    const first = lower === undefined ? (upper ?? count + 1) - step * count : lower + step;
    return Array.from({ length: count }, (_, n) => first + step * n);
  }
  // Halves, since the difference of two large numbers may be none.
  const step = (upper / 2 - lower / 2) * (2 / (count + 1));
  if (!(step > 0) || step < least) return undefined;
  const numbers = Array.from({ length: count }, (_, n) => lower + step * (n + 1));
  return isIncreasing([lower, ...numbers, upper]) ? numbers : undefined;
}

const isIncreasing = (numbers: readonly number[]) =>
  numbers.every((number, n) => n === 0 || (numbers[n - 1] as number) < number);

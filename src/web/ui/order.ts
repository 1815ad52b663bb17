/** Orders of lists on screen: names as people sort them in their language, the rest as the Context Service has it. */

import type { Milestone, Task } from '@/domain/entities';

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

export function byName<T extends { name: string; id: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => a.name.localeCompare(b.name) || compare(a.id, b.id));
}

/** Earliest target date first; items without a date last. */
export function byDate<T extends Pick<Milestone, 'target_date' | 'name' | 'id'>>(items: readonly T[]): T[] {
  const due = (item: T) => item.target_date ?? '9999';
  return byName(items).sort((a, b) => compare(due(a), due(b)));
}

export function bySortOrder<T extends Pick<Task, 'sort_order' | 'id'>>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => compare(a.sort_order, b.sort_order) || compare(a.id, b.id));
}

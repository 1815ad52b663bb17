/** How a list of tasks is grouped, sorted and filtered, and how its address says so. Pure. */

import type { GroupColumn } from '@/lib/watermelon';

export const GROUPINGS = ['none', 'stage', 'milestone', 'assignee', 'status'] as const;
export const SORTS = ['hand', 'priority', 'target', 'updated', 'title'] as const;
/** Columns by whose values tasks are filtered. */
export const FILTERS = ['status', 'stage', 'assignee', 'priority'] as const;

export type Grouping = (typeof GROUPINGS)[number];
export type Sort = (typeof SORTS)[number];
export type Filter = (typeof FILTERS)[number];

export interface ListView extends Readonly<Record<Filter, readonly string[]>> {
  group: Grouping;
  sort: Sort;
  /** Words that the title contains, or the key. */
  text: string;
}

/** The assignee of a task that has none, as addresses name it. */
export const NOBODY = 'nobody';
/** In place of values: the filter that the list has by itself is off. */
const ANY = 'any';

export const PLAIN_VIEW: ListView = {
  group: 'none',
  sort: 'hand',
  status: [],
  stage: [],
  assignee: [],
  priority: [],
  text: '',
};

/**
 * @param search the query of an address
 * @param usual the view where the address says nothing
 */
export function viewFrom(search: string, usual: ListView): ListView {
  const query = new URLSearchParams(search);
  const oneOf = <Value extends string>(name: string, values: readonly Value[], otherwise: Value): Value =>
    values.find((value) => value === query.get(name)) ?? otherwise;
  const listed = (name: Filter): readonly string[] => {
    const given = query.get(name);
    if (given === null) return usual[name];
    return given === ANY ? [] : given.split(',').filter((value) => value !== '');
  };
  return {
    group: oneOf('group', GROUPINGS, usual.group),
    sort: oneOf('sort', SORTS, usual.sort),
    status: listed('status'),
    stage: listed('stage'),
    assignee: listed('assignee'),
    priority: listed('priority'),
    text: query.get('q') ?? '',
  };
}

/** @returns the query of the address that says so; what it says of other things stays */
export function searchOf(view: ListView, usual: ListView, search: string): string {
  const query = new URLSearchParams(search);
  const set = (name: string, value: string, otherwise: string) =>
    value === otherwise ? query.delete(name) : query.set(name, value);
  set('group', view.group, usual.group);
  set('sort', view.sort, usual.sort);
  for (const name of FILTERS) {
    const written = (values: readonly string[]) => (values.length === 0 ? ANY : values.join(','));
    set(name, written(view[name]), written(usual[name]));
  }
  set('q', view.text, '');
  // Commas need no escape, and people read addresses.
  return query.toString().replaceAll('%2C', ',');
}

/** Whether every task is shown. */
export function isUnfiltered(view: ListView): boolean {
  return view.text.trim() === '' && FILTERS.every((name) => view[name].length === 0);
}

const GROUP_COLUMNS: Record<Grouping, GroupColumn | null> = {
  none: null,
  stage: 'current_stage',
  milestone: 'milestone_id',
  assignee: 'assignee_id',
  status: 'status',
};

/**
 * @returns the column of the groups in which every task is shown at its place: what stands first needs no look at the others; null:
 *   there are no groups; undefined: the view is another one
 */
export function firstBy(view: ListView): GroupColumn | null | undefined {
  return view.sort === 'hand' && isUnfiltered(view) ? GROUP_COLUMNS[view.group] : undefined;
}

export const withoutFilters = (view: ListView): ListView => ({
  ...PLAIN_VIEW,
  group: view.group,
  sort: view.sort,
});

/** @returns the values with this one added, or without it */
export function toggled(values: readonly string[], value: string): string[] {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}

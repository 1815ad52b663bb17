/** Rows as they are rendered: those of the tasks, and one for a new task among them. Pure. */

import type { ListedColumns, ListRow } from './rows';
import type { VirtualRow } from './VirtualRows';

export interface ShownRow<T> extends VirtualRow {
  group: string;
  task?: T;
  depth?: number;
  label?: string;
  size?: number;
}

/** @param adding the row for a new task is under this task and its subtasks, or at the end of the group; null: there is none */
export function shownRows<T extends ListedColumns>(
  rows: readonly ListRow<T>[],
  adding: { under: { id: string } | null; group: string } | null,
): ShownRow<T>[] {
  const shown = rows.map(
    (row): ShownRow<T> =>
      row.kind === 'group'
        ? { ...row, key: `group:${row.group}` }
        : { kind: 'task', key: row.task.id, task: row.task, depth: row.depth, group: row.group },
  );
  if (adding) {
    shown.splice(newRowIndex(shown, adding), 0, { kind: 'new', key: 'new', group: adding.group });
  }
  return shown;
}

function newRowIndex<T>(
  shown: readonly ShownRow<T>[],
  { under, group }: { under: { id: string } | null; group: string },
): number {
  const at = under === null ? -1 : shown.findIndex(({ key }) => key === under.id);
  if (at < 0) {
    const last = shown.findLastIndex((row) => row.group === group);
    return last < 0 ? shown.length : last + 1;
  }
  const depth = shown[at]?.depth ?? 0;
  let end = at + 1;
  while ((shown[end]?.depth ?? 0) > depth) end += 1;
  return end;
}

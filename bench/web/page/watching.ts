/** A first sync's writes, and lists that are shown meanwhile. */

import type { BulkRows } from '@/core/storage';
import { observeRecords } from '@/lib/watermelon/context/liveRecords';
import type { ConvoyDatabase } from '@/lib/watermelon/database';
import { schema } from '@/lib/watermelon/models';
import { makeTasks } from './data';

/** Rows of a page of a pull. */
const PAGE = 2_000;

export interface Watching {
  /** Writes so many tasks, page by page, as a sync does. @returns ms */
  pull(tasks: number): Promise<number>;
  /** Shows the tasks of a milestone from now on, or all of them for null. */
  watch(milestone: string | null): void;
  /** The number of tasks shown. */
  shown(): number;
}

export function watchingOf(open: () => Promise<ConvoyDatabase>): Watching {
  let shown = 0;
  const opened = open();
  return {
    async pull(tasks) {
      const database = await opened;
      let ms = 0;
      for (let from = 0; from < tasks; from += PAGE) {
        const rows = toRows(makeTasks(schema, from, Math.min(tasks, from + PAGE)));
        const before = performance.now();
        await database.write(() => database.batchWithRows([], [['tasks', rows]]));
        ms += performance.now() - before;
      }
      return ms;
    },
    watch(milestone) {
      void opened.then((database) =>
        observeRecords(database, 'tasks', milestone === null ? {} : { milestone_id: milestone }).subscribe(
          (tasks) => {
            shown = tasks.length;
          },
        ),
      );
    },
    shown: () => shown,
  };
}

function toRows(tasks: ReturnType<typeof makeTasks>): BulkRows {
  const columns = Object.keys(tasks[0]?.[2] ?? {});
  const plain = (value: unknown) => (typeof value === 'boolean' ? Number(value) : (value as string | null));
  return { columns, rows: tasks.map(([, , raw]) => columns.map((name) => plain(raw[name]))), same: {} };
}

declare global {
  interface Window {
    benchWatching: Watching;
  }
}

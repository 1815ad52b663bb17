/** Rows in bulk, written by the server itself. */

import type { SqlBackend } from '@/server';
import { SEED } from './seed';

/** Makes tasks in a milestone of the demo. Their titles do not compress away. */
export async function manyTasks(backend: SqlBackend, count: number, prefix = 'Bulk'): Promise<void> {
  // Several transactions: one is one revision, which a page takes apart by id alone.
  for (let start = 0; start < count; start += 500) {
    const made = await backend.transaction((connection) =>
      connection.query(
        `insert into public.tasks (id, workspace_id, milestone_id, title, description)
         select gen_random_uuid(), $1::uuid, $2::uuid, $3 || ' ' || n, md5(n::text) || md5((n * 7)::text)
         from generate_series($4::int, $5::int) n`,
        [SEED.workspace, SEED.offlineMilestone, prefix, start + 1, Math.min(start + 500, count)],
      ),
    );
    if (!made.ok) throw new Error(made.error.message);
  }
}

/** What has to hold of keys and agents (sections 4 and 5 of docs/work-model.md), by a witness of its own. */

import type { Oracle } from './oracle';
import type { SimServer } from './server';
import type { StoredRow } from './storage';

/** A mark among the keys: what was given before it may be given again. */
export async function noteRestored(server: SimServer): Promise<void> {
  await server.sql('insert into witness.keys (key) values (null)');
}

interface Given {
  workspace: string | null;
  task: string;
  key: string | null;
}

export async function checkKeys(
  oracle: Oracle,
  server: SimServer,
  stored: ReadonlyMap<string, Map<string, StoredRow[]>>,
): Promise<void> {
  const given = await server.sql<Given>(
    'select workspace_id::text as workspace, task_id::text as task, key from witness.keys order by n',
  );
  checkGivenOnce(oracle, given);
  await checkKept(oracle, server, given);
  const uncounted = await server.sql<{ key: string }>(
    `select t.key from public.tasks t
     left join convoy.key_counters c on c.workspace_id = t.workspace_id and c.prefix = split_part(t.key, '-', 1)
     where c.last is null or split_part(t.key, '-', 2)::bigint > c.last or c.free @> split_part(t.key, '-', 2)::bigint`,
  );
  for (const { key } of uncounted) oracle.violate('Y3', `${key} is not counted`);
  for (const [device, tables] of stored) {
    for (const { record_table, code, column_name } of tables.get('sync_quarantine') ?? []) {
      if (record_table === 'tasks' && (code === 'unique' || column_name === 'key')) {
        oracle.violate('Y3', `a task of ${device} was refused for its key (${code})`);
      }
    }
  }
  const forged = await server.sql<{ id: string }>(
    `select u.id::text as id from auth.users u join public.profiles p on p.id = u.id
      where (u.raw_app_meta_data ->> 'kind' = 'agent') <> (p.kind = 'agent')`,
  );
  for (const { id } of forged) oracle.violate('A1', `${id} is not of the kind that the service says`);
  const paused = await server.sql('select from witness.paused');
  if (paused.length > 0)
    oracle.violate('A7', `${paused.length} tasks were written by an agent that was paused`);
}

/** Y3: within a history a key goes to one task. */
function checkGivenOnce(oracle: Oracle, given: readonly Given[]): void {
  const holders = new Map<string, string>();
  for (const { workspace, task, key } of given) {
    if (workspace === null) holders.clear();
    if (workspace === null || key === null) continue;
    const holder = holders.get(`${workspace} ${key}`) ?? task;
    if (holder !== task) oracle.violate('Y3', `${key} went to ${holder} and to ${task}`);
    holders.set(`${workspace} ${key}`, task);
  }
}

/** Y2, Y4, Y5: each task has the key that it got first, unless another task had that by the time it came again. */
async function checkKept(oracle: Oracle, server: SimServer, given: readonly Given[]): Promise<void> {
  const tasks = await server.sql<{ id: string; key: string | null }>(
    'select id::text as id, key from public.tasks',
  );
  const isGivenTo = new Map<string, Set<string>>();
  for (const { workspace, task, key } of given) {
    const name = `${workspace} ${key}`;
    isGivenTo.set(name, (isGivenTo.get(name) ?? new Set()).add(task));
  }
  for (const { id, key } of tasks) {
    if (key === null) oracle.violate('Y2', `${id} has no key`);
    for (const before of given.filter(({ task }) => task === id)) {
      const isOthers = (isGivenTo.get(`${before.workspace} ${before.key}`)?.size ?? 0) > 1;
      if (before.key !== key && !isOthers) oracle.violate('Y5', `${id} was ${before.key} and is ${key}`);
    }
  }
}

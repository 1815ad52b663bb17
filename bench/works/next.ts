/** W10: the next task of 100,000, from the local database and from the server. */

import { EMPTY, quantile } from '../measure';
import type { Bench } from './bench';

const ASKED = 60;

/** Work of all kinds: half of it done, each priority, target dates, tasks that wait for others, and stages of review. */
async function varied({ world, size }: Bench): Promise<void> {
  await world.admin.query(
    `update public.tasks t set
       status = case when h % 2 = 0 then 'done' when h % 7 = 0 then 'blocked' else 'todo' end,
       priority = (array['low', 'medium', 'medium', 'high', 'urgent'])[1 + h % 5], sort_order = h % 50
     from (select id, abs(hashtext(id::text)) as h from public.tasks where workspace_id = any ($1::uuid[])) v where v.id = t.id`,
    [size.workspaceIds],
  );
  await world.admin.query(
    `update public.milestones set target_date = '2027-01-01T12:00:00Z'::timestamptz + abs(hashtext(id::text)) % 90 * interval '1 day'
     where workspace_id = any ($1::uuid[]) and abs(hashtext(id::text)) % 3 > 0`,
    [size.workspaceIds],
  );
  await world.admin.query('vacuum analyze public.tasks');
}

export async function nextTask(bench: Bench): Promise<void> {
  const { size, checks, world } = bench;
  await varied(bench);
  const { rows } = await world.admin.query<{ id: string }>(
    'select id from public.projects where workspace_id = any ($1::uuid[]) order by id limit 20',
    [size.workspaceIds],
  );
  const scopes: Record<string, string>[] = [
    {},
    {},
    ...size.workspaceIds.map((workspace_id) => ({ workspace_id })),
    ...rows.map(({ id: project_id }) => ({ project_id })),
  ];
  const subject = await bench.subject('convoy');
  await subject.tell('sync');
  const asked = Array.from({ length: ASKED }, (_, n) => scopes[n % scopes.length] ?? {});
  for (const isRemote of [false, true]) {
    // What compilers and plans have to warm up with.
    await subject.tell('next', asked.slice(0, 10), isRemote);
    const { ms, found } = await subject.tell('next', asked, isRemote);
    if (found.some((title) => title === null)) checks.broken.push(`W10 ${size.name}: there is no next task`);
    const p95 = quantile(ms, 0.95);
    if (p95 > 50) checks.broken.push(`W10 ${size.name}: ${p95.toFixed(1)} ms`);
    const row = { ...EMPTY, size: size.name, subject: isRemote ? ('remote' as const) : ('convoy' as const) };
    bench.results.push({ ...row, work: 'W10 next p50', ms: quantile(ms, 0.5) });
    bench.results.push({ ...row, work: 'W10 next p95', ms: p95 });
  }
}

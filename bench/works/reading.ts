/** W5, W7, W8, W9, W15: what reading a task's context costs. Every context is read from storage: no task is read twice. */

import { EMPTY, median, quantile, Samples } from '../measure';
import type { ContextIds } from '../subjects/subject';
import type { Bench } from './bench';

const ROUNDS = 5;
const READ = 60;

export async function contexts(bench: Bench): Promise<void> {
  const { size, checks } = bench;
  const samples = new Samples();
  const ids = bench.tasks(READ * (ROUNDS + 1));
  const found = new Map<string, ContextIds[]>();
  // The first round lets compilers warm up.
  await bench.inTurns(ROUNDS + 1, async (name, round) => {
    const read = await (await bench.subject(name)).tell(
      'contexts',
      ids.slice(round * READ, (round + 1) * READ),
    );
    found.set(name, [...(found.get(name) ?? []), ...read.found]);
    checks.equal(`W5 ${size.name} ${name}: requests`, read.requests, 0);
    if (round > 0) for (const ms of read.ms) samples.add(name, ms);
  });
  const [reference, ...others] = [...found];
  for (const [name, contexts] of others) {
    for (const [n, context] of contexts.entries()) {
      checks.equal(`W5 ${size.name} ${name} as ${reference?.[0]}: context`, context, reference?.[1][n]);
    }
  }
  bench.results.push(
    ...samples.results('W5 context p50', size.name),
    ...samples.results('W5 context p95', size.name, 0.95),
  );
}

export async function localAgainstRemote(bench: Bench): Promise<void> {
  const { size, checks } = bench;
  const subject = await bench.subject('convoy');
  const ids = bench.tasks(150);
  const local: number[] = [];
  const remote: number[] = [];
  for (let start = 0; start < ids.length; start += 30) {
    const part = ids.slice(start, start + 30);
    const here = await subject.tell('contexts', part);
    const there = await subject.tell('remoteContexts', part);
    checks.equal(`W7 ${size.name}: remote contexts`, there.found, here.found);
    local.push(...here.ms);
    remote.push(...there.ms);
  }
  const row = { ...EMPTY, work: 'W7 local, remote', size: size.name };
  // How many times as fast as the remote one.
  bench.results.push({ ...row, subject: 'convoy', ms: median(local), ratio: median(remote) / median(local) });
  bench.results.push({
    ...row,
    subject: 'remote',
    ms: median(remote),
    callMs: bench.callMs.get('convoy') ?? null,
  });
}

export async function requests(bench: Bench): Promise<void> {
  const { size, checks } = bench;
  const subject = await bench.subject('convoy');
  const read = await subject.tell('contexts', bench.tasks(1_000));
  const hour = await subject.tell('idleHour');
  const row = { ...EMPTY, size: size.name, subject: 'convoy' as const };
  bench.results.push({ ...row, work: 'W8 1,000 contexts', requests: read.requests });
  checks.equal(`W8 ${size.name}: requests of 1,000 contexts`, read.requests, 0);
  if (!hour) return;
  bench.results.push({ ...row, work: 'W8 idle hour', requests: hour.polling });
  bench.results.push({ ...row, work: 'W8 idle hour, poked', requests: hour.flowing });
}

/** @param activities on one task, beside those it had */
export async function crowdedContext(bench: Bench, activities = 5_000): Promise<void> {
  const { size, checks, world, options } = bench;
  const [taskId] = bench.tasks(1);
  for (const schema of ['public', 'stock']) {
    const stamps =
      schema === 'stock' ? ', revision, field_revisions, created_at, updated_at' : ', created_at';
    const values = schema === 'stock' ? `, 1, '{}', now(), now()` : '';
    await world.admin.query(
      `insert into ${schema}.activity_feed (id, workspace_id, task_id, activity_type, details${stamps})
       select md5($2 || n::text)::uuid, t.workspace_id, t.id, 'comment', '{}'
         ${values || `, now()`}
       from generate_series(1, $1::int) n, ${schema}.tasks t where t.id = $3::uuid`,
      [activities, `${size.name} crowded`, taskId],
    );
  }
  const samples = new Samples();
  for (const name of options.subjects) await (await bench.subject(name)).tell('sync');
  await bench.inTurns(21, async (name, round) => {
    const read = await (await bench.subject(name)).tell('contexts', [taskId as string]);
    checks.equal(`W9 ${size.name} ${name}: activities`, read.found[0]?.activities.length, 20);
    if (round > 0) samples.add(name, quantile(read.ms, 0.5));
  });
  bench.results.push(...samples.results('W9 5,000 activities', size.name));
}

/** A context within its limits beside the whole one, where 12 MB stand around the task. */
export async function boundedContext(bench: Bench): Promise<void> {
  const { size, world, checks } = bench;
  const [taskId] = bench.tasks(1) as [string];
  await world.admin.query(
    `insert into public.tasks (id, workspace_id, milestone_id, parent_task_id, title)
     select md5('bounded' || n)::uuid, workspace_id, milestone_id, id, 'Subtask ' || n
     from public.tasks, generate_series(1, 300) n where id = $1::uuid`,
    [taskId],
  );
  await world.admin.query(
    `insert into public.patterns (id, workspace_id, name, content)
     select md5('bounded pattern' || n)::uuid, workspace_id, 'Pattern ' || n,
       jsonb_build_object('text', repeat(md5(n::text), 60000 / 32))
     from public.tasks, generate_series(1, 204) n where id = $1::uuid`,
    [taskId],
  );
  const subject = await bench.subject('convoy');
  await subject.tell('sync');
  for (const isRemote of [false, true]) {
    for (const isWhole of [false, true]) {
      const read = [];
      for (let n = 0; n < 6; n += 1)
        read.push(await subject.tell('sizedContext', taskId, { isWhole, isRemote }));
      const bytes = read[0]?.bytes ?? 0;
      if (isWhole === bytes < 12_000_000) checks.broken.push(`W15 ${size.name}: a context of ${bytes} bytes`);
      bench.results.push({
        ...EMPTY,
        work: `W15 ${isWhole ? 'whole' : 'within limits'}`,
        size: size.name,
        subject: isRemote ? 'remote' : 'convoy',
        ms: median(read.slice(1).map(({ ms }) => ms)),
        wireKb: bytes / 1024,
      });
    }
  }
}

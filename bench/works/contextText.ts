/** W9: a crowded task's context as text, within a budget of tokens. */

import { EMPTY, median, quantile } from '../measure';
import type { Bench } from './bench';

const BUDGET = 8_000;
/** The most that the peak of memory may grow by while the same context is rendered again and again, MB. */
const MOST_GROWTH = 32;

/** The task has 5,000 activities with texts, 300 subtasks, and 204 patterns of 60 KB around it. */
export async function contextAsText(bench: Bench): Promise<void> {
  const { size, world, checks } = bench;
  const [taskId] = bench.tasks(1) as [string];
  const values = [
    `insert into public.activity_feed (id, workspace_id, task_id, activity_type, details)
       select md5('as text' || n)::uuid, workspace_id, id, 'comment', jsonb_build_object('text', repeat('What was found out ' || n || '. ', 20))
       from public.tasks, generate_series(1, 5000) n where id = $1::uuid`,
    `insert into public.tasks (id, workspace_id, milestone_id, parent_task_id, title)
       select md5('as text' || n)::uuid, workspace_id, milestone_id, id, 'Subtask ' || n
       from public.tasks, generate_series(1, 300) n where id = $1::uuid`,
    `insert into public.patterns (id, workspace_id, name, content)
       select md5('pattern as text' || n)::uuid, workspace_id, 'As text ' || n,
         jsonb_build_object('text', repeat('Keep functions short, and name what they return. ' || n || E'\\n', 1150))
       from public.tasks, generate_series(1, 204) n where id = $1::uuid`,
  ];
  for (const sql of values) await world.admin.query(sql, [taskId]);
  const subject = await bench.subject('convoy');
  await subject.tell('sync');
  const render = async (times: number) => {
    const ms: number[] = [];
    for (let n = 0; n < times; n += 1) {
      const rendered = await subject.tell('renderedContext', taskId, BUDGET);
      if (rendered.tokens > BUDGET || rendered.tokens < BUDGET / 2) {
        checks.broken.push(`W9 ${size.name}: a context of ${rendered.tokens} tokens`);
      }
      ms.push(rendered.ms);
    }
    return ms;
  };
  // The tokenizer is loaded, and the compiler warms up.
  await render(30);
  const before = await subject.tell('memory');
  const ms = await render(150);
  const growth = (await subject.tell('memory')) - before;
  if (growth > MOST_GROWTH) checks.broken.push(`W9 ${size.name}: rendering took ${growth} MB more and more`);
  const row = { ...EMPTY, size: size.name, subject: 'convoy' as const };
  bench.results.push({ ...row, work: 'W9 as text p50', ms: median(ms) });
  bench.results.push({ ...row, work: 'W9 as text p95', ms: quantile(ms, 0.95) });
}

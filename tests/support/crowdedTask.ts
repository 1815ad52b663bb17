/** A task with so much around it that a context of all of it is 12 MB large. */

import type { ContextService } from '@/domain/contextService';
import type { Task } from '@/domain/entities';
import type { SqlBackend } from '@/server';

export const CROWD = {
  subtasks: 300,
  done: 120,
  activities: 60,
  patterns: 204,
  patternBytes: 60_000,
} as const;

/** @returns a task in a workspace of its own, which the service's user alone is a member of */
export async function lonelyTask(service: ContextService): Promise<Task> {
  const workspace = await service.createWorkspace({ name: 'Crowded' });
  const project = await service.createProject({ workspace_id: workspace.id, name: 'Crowded' });
  const milestone = await service.createMilestone({ project_id: project.id, name: 'Crowded' });
  return service.createTask({ milestone_id: milestone.id, title: 'Crowded' });
}

/**
 * Crowds a task that the server has. The server writes the rows itself: devices get them with their next sync. Of the
 * patterns one in three is the project's, the others are the workspace's.
 */
export async function crowd(backend: SqlBackend, task: Pick<Task, 'id'>): Promise<void> {
  const done = await backend.transaction(async (connection) => {
    await connection.query(
      `insert into public.tasks (id, workspace_id, milestone_id, parent_task_id, title, status, sort_order)
       select gen_random_uuid(), t.workspace_id, t.milestone_id, t.id, 'Subtask ' || n,
         case when n <= $2::int then 'done' else 'todo' end, n
       from public.tasks t, generate_series(1, $3::int) n where t.id = $1::uuid`,
      [task.id, CROWD.done, CROWD.subtasks],
    );
    await connection.query(
      `insert into public.activity_feed (id, workspace_id, task_id, activity_type, details)
       select gen_random_uuid(), t.workspace_id, t.id, 'comment', jsonb_build_object('n', n)
       from public.tasks t, generate_series(1, $2::int) n where t.id = $1::uuid`,
      [task.id, CROWD.activities],
    );
    await connection.query(
      `insert into public.patterns (id, workspace_id, project_id, name, content)
       select gen_random_uuid(), t.workspace_id, case when n % 3 = 0 then m.project_id end, 'Pattern ' || n,
         jsonb_build_object('text', repeat(md5(n::text), $3::int / 32))
       from public.tasks t join public.milestones m on m.id = t.milestone_id, generate_series(1, $2::int) n
       where t.id = $1::uuid`,
      [task.id, CROWD.patterns, CROWD.patternBytes],
    );
  });
  if (!done.ok) throw new Error(done.error.message);
}

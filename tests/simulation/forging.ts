/** A client of some version, with an agent's credential, that settles a review as no device would (V2). */

import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import { STANDARD_STAGES } from '@/domain/vocabulary';
import type { Oracle } from './oracle';
import type { Random } from './random';
import { type SimServer, USERS } from './server';
import type { Stage } from './stage';
import { CUSTOM_STAGES, makeId } from './team';

export async function checkForgedReviews(oracle: Oracle, server: SimServer): Promise<void> {
  const forged = await server.sql<{ task_id: string; type: string }>(
    'select task_id::text, activity_type as type from witness.forged_reviews',
  );
  for (const { task_id, type } of forged) oracle.violate('V2', `an agent has made ${type} of ${task_id}`);
}

interface Target {
  id: string;
  milestone: string;
  stage: string;
  is_custom: boolean;
  /** The newest request for its review. */
  request: string | null;
}

/** An agent settles a review: beside a move that it may make, or of a task that it makes. @returns whether there was a task */
export async function forgeReview({ server, workspaces }: Stage, random: Random): Promise<boolean> {
  const workspace = random.pick(workspaces).id;
  const targets = await server.sql<Target>(
    `select t.id::text as id, t.milestone_id::text as milestone, t.current_stage as stage, t.workflow_id is not null as is_custom, (
         select a.id::text from public.activity_feed a
         where a.task_id = t.id and a.activity_type = 'review_requested' and a.deleted_at is null
         order by a.revision desc, date_trunc('milliseconds', a.created_at) desc, a.id desc limit 1) as request
       from public.tasks t where t.workspace_id = $1::uuid and t.deleted_at is null order by request nulls last, t.id limit 12`,
    [workspace],
  );
  if (targets.length === 0) return false;
  const target = random.pick(targets);
  const push = pusher(server, workspace, random);
  if (random.chance(0.5)) {
    const id = makeId(random);
    const values = { milestone_id: target.milestone, title: `Forged ${id}` };
    await push([
      { table: 'tasks', op: 'insert', id, values },
      entry(random, id, 'review_approved', { request: target.request ?? makeId(random) }),
    ]);
    return true;
  }
  const stages: readonly string[] = target.is_custom
    ? CUSTOM_STAGES.map(({ name }) => name)
    : STANDARD_STAGES;
  const at = stages.indexOf(target.stage);
  const asked = entry(random, target.id, 'review_requested', { text: 'Look.', stage: target.stage });
  if (target.request === null) await push([asked]);
  const type = random.pick(['review_approved', 'review_returned']);
  const details = {
    request: target.request ?? asked.id,
    ...(type === 'review_returned' && { reason: 'No.' }),
  };
  const stage = stages[at > 0 ? random.below(at) : 1] as string;
  await push([
    { table: 'tasks', op: 'update', id: target.id, base: null, values: { current_stage: stage } },
    entry(random, target.id, type, details),
  ]);
  return true;
}

const entry = (random: Random, task_id: string, activity_type: string, details: object) => ({
  table: 'activity_feed',
  op: 'insert',
  id: makeId(random),
  values: { task_id, activity_type, details },
});

/** @returns a client that pushes groups, as the agent, in the protocol of some version */
function pusher(server: SimServer, workspace_id: string, random: Random) {
  const device_id = makeId(random);
  const protocol = 1 + random.below(PROTOCOL_VERSION);
  let batch = 0;
  return (changes: readonly object[]) => {
    batch += 1;
    const told = { edited_at: {}, base: null, group: 0, workspace_id };
    return server.callAs(USERS.agnes.id, 'sync_push', {
      ...{
        protocol,
        schema: SCHEMA_VERSION,
        user_id: USERS.agnes.id,
        device_id,
        batch,
        cursors: {},
        skip: {},
      },
      changes: changes.map((change) => ({ ...told, ...change })),
    });
  };
}

/** What people do to agents, and what an agent says of itself. Straight in the database. */

import { forgeReview } from './forging';
import type { Step } from './program';
import type { Random } from './random';
import { USERS } from './server';
import type { Stage } from './stage';

/** @returns whether anything happened; null where it is no step of agents */
export async function agentStep(stage: Stage, step: Step, random: Random): Promise<boolean | null> {
  const { server, workspaces } = stage;
  switch (step.action) {
    // Or ends the pause.
    case 'pause': {
      const done = await server.sql(
        `update public.workspace_members set paused_at = case when paused_at is null then now() end
          where workspace_id = $1::uuid and kind = 'agent' and deleted_at is null returning id`,
        [random.pick(workspaces).id],
      );
      return done.length > 0;
    }
    // Users write their own metadata by Auth.
    case 'forge kind':
      await server.sql(
        `update auth.users set raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || '{"kind": "human"}' where id = $1::uuid`,
        [USERS.agnes.id],
      );
      return true;
    case 'forge review':
      return forgeReview(stage, random);
    default:
      return null;
  }
}

/** Ends all pauses, so that everything can be pushed. */
export async function endPauses({ server }: Stage): Promise<void> {
  await server.sql(
    'update public.workspace_members set paused_at = null where paused_at is not null and deleted_at is null',
  );
}

/**
 * What every implementation of the Context Service does: the same values, the same errors, the same
 * activities in the feed. Runs on the demo of supabase/seed.sql.
 */

import { afterAll, beforeAll, describe } from 'vitest';
import { agentsAndKeysContract } from './contextService/agentsAndKeys.contract';
import { commentsContract } from './contextService/comments.contract';
import { deletionsContract } from './contextService/deletions.contract';
import { expectedContract } from './contextService/expected.contract';
import { inboxContract } from './contextService/inbox.contract';
import { knowledgeContract } from './contextService/knowledge.contract';
import { limitsContract } from './contextService/limits.contract';
import { movesContract } from './contextService/moves.contract';
import { permissionsContract } from './contextService/permissions.contract';
import { readsContract } from './contextService/reads.contract';
import { recordsContract } from './contextService/records.contract';
import { reviewsContract } from './contextService/reviews.contract';
import { sameErrorsContract } from './contextService/sameErrors.contract';
import { taskBatchesContract } from './contextService/taskBatches.contract';
import { taskLinksContract } from './contextService/taskLinks.contract';
import { tasksContract } from './contextService/tasks.contract';
import { workContract } from './contextService/work.contract';
import { type ContractSetup, type Section, type World, worldOf } from './contextService/world';

export type { Account, ContractSetup } from './contextService/world';

const SECTIONS: readonly [name: string, section: Section][] = [
  ['reads', readsContract],
  ['knowledge', knowledgeContract],
  ['limits of contexts', limitsContract],
  ['tasks', tasksContract],
  ['several tasks at once', taskBatchesContract],
  ['links between tasks', taskLinksContract],
  ['moves', movesContract],
  ['deletions', deletionsContract],
  ['other records', recordsContract],
  ['expected values', expectedContract],
  ['permissions', permissionsContract],
  ['agents and keys', agentsAndKeysContract],
  ['writes with several faults', sameErrorsContract],
  ['claims, ready, stage and status', workContract],
  ['reviews', reviewsContract],
  ['comments', commentsContract],
  ['inbox', inboxContract],
];

export function contextServiceContract(name: string, setup: () => Promise<ContractSetup>): void {
  describe(`Context Service, ${name}`, () => {
    let running: ContractSetup | undefined;
    let world: World | undefined;

    beforeAll(async () => {
      running = await setup();
      world = worldOf(running);
      await running.settle();
    });
    afterAll(async () => running?.close());

    for (const [title, section] of SECTIONS) {
      describe(title, () => {
        section(() => {
          if (!world) throw new Error('The setup failed.');
          return world;
        });
      });
    }
  });
}

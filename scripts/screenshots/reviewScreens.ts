/** Screens on which a person passes a human checkpoint. */

import { SEED } from '../../tests/support/seed';
import { openTask, type Screen, SHARED } from './steps';

const WAITING = 'Survive a clock that is wrong by hours';

export const REVIEW_SCREENS: Screen[] = [
  {
    name: 'review',
    prepare: async ({ page, stack }) => {
      await stack.backend.transaction((connection) =>
        connection.query(
          `insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details)
             select gen_random_uuid(), t.workspace_id, t.id, $2::uuid, 'review_requested', $3::jsonb
             from public.tasks t where t.title = $1`,
          [
            WAITING,
            SEED.users.agent,
            JSON.stringify({
              stage: 'PLAN_REVIEW',
              text: 'The plan: keep the offset between the two clocks, and correct every edit time by it.\n\nPlease look at what happens when a tablet is set back by a day.',
              branch: 'clock-offset',
              commit: '3f9d2c1',
              links: ['https://example.com/convoy/pull/42'],
            }),
          ],
        ),
      );
      await openTask(page, 'editor', WAITING);
      await page.getByRole('button', { name: 'Approve plan' }).click();
      await page.getByRole('button', { name: 'Approve and move to Implement' }).waitFor();
    },
  },
  {
    name: 'jump',
    prepare: async ({ page }) => {
      // Of a task that nobody has asked to review.
      await openTask(page, 'editor', SHARED);
      await page
        .getByRole('region', { name: /^Stage/ })
        .getByRole('button', { name: /^Implement/ })
        .click();
      await page.getByLabel('Why without a review?').fill('Agreed on the phone: the fix is one line.');
    },
  },
];

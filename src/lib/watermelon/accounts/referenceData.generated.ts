/** Generated from supabase/migrations by `npm run types:reference`. Do not edit. */

import type { Json } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';

/** The records of the global scope as they travel, without their stamps. */
export const REFERENCE_DATA: Partial<Record<SyncedTable, Record<string, Json>[]>> = {
  "workflows": [
    {
      "id": "00000000-0000-7000-8000-000000000001",
      "workspace_id": "00000000-0000-7000-8000-000000000000",
      "name": "Standard",
      "description": "From a plan that was agreed on to a change that was reviewed.",
      "stages": [
        {
          "name": "PLAN",
          "order": 1,
          "description": "Say what is to be done and how it will be checked.",
          "is_checkpoint": false
        },
        {
          "name": "PLAN_REVIEW",
          "order": 2,
          "description": "A person agrees to the plan.",
          "is_checkpoint": true
        },
        {
          "name": "IMPLEMENT",
          "order": 3,
          "description": "Do what the plan says.",
          "is_checkpoint": false
        },
        {
          "name": "VALIDATE",
          "order": 4,
          "description": "Show that it works: tests, checks, a demonstration.",
          "is_checkpoint": false
        },
        {
          "name": "CODE_REVIEW",
          "order": 5,
          "description": "A person agrees to the change.",
          "is_checkpoint": true
        },
        {
          "name": "COMMIT",
          "order": 6,
          "description": "Put the change where it belongs.",
          "is_checkpoint": false
        }
      ]
    }
  ],
  "best_practices": [
    {
      "id": "00000000-0000-7000-8000-000000000101",
      "workspace_id": "00000000-0000-7000-8000-000000000000",
      "project_id": null,
      "name": "Plan before code",
      "description": "Write the plan into the task before the first change, so that a person can correct the direction while it is cheap.",
      "category": "workflow",
      "content": {
        "steps": [
          "Restate the goal in your own words",
          "List the files and interfaces that change",
          "Say how it will be tested",
          "Name what you are unsure of"
        ]
      }
    },
    {
      "id": "00000000-0000-7000-8000-000000000102",
      "workspace_id": "00000000-0000-7000-8000-000000000000",
      "project_id": null,
      "name": "Leave a trail in the feed",
      "description": "Whoever comes next, a person or an agent, should see what was tried, what was found and what is left.",
      "category": "communication",
      "content": {
        "do": "Retry now honours Retry-After; the load test is still missing.",
        "avoid": "Fixed."
      }
    },
    {
      "id": "00000000-0000-7000-8000-000000000103",
      "workspace_id": "00000000-0000-7000-8000-000000000000",
      "project_id": null,
      "name": "Prove it with a test that failed before",
      "description": "A test that has never failed proves nothing. See it fail for the right reason, then make it pass.",
      "category": "testing",
      "content": {
        "steps": [
          "Write the test",
          "See it fail",
          "Make the change",
          "See it pass",
          "Run the others"
        ]
      }
    },
    {
      "id": "00000000-0000-7000-8000-000000000104",
      "workspace_id": "00000000-0000-7000-8000-000000000000",
      "project_id": null,
      "name": "Small changes, one purpose each",
      "description": "A change that does one thing can be reviewed, reverted and understood a year later.",
      "category": "review",
      "content": {
        "limit": "About 400 changed lines for each review"
      }
    }
  ]
};

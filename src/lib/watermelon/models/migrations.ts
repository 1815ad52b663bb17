/**
 * Steps from one version of the local database to the next; version 1 is the first. The step for a new schema version of
 * the synced tables is `{ toVersion, steps: syncedSteps(version) }`. Steps that were shipped stay as they are.
 */

import { syncedSteps } from './schema';
import { type SchemaMigrations, schemaMigrations, unsafeExecuteSql } from './watermelondb';

export const migrations: SchemaMigrations = schemaMigrations({
  migrations: [
    {
      toVersion: 2,
      // The lost edits of a ledger, and its old entries, are found without reading all of it.
      steps: [
        unsafeExecuteSql('create index "sync_conflicts_kind" on "sync_conflicts" ("kind");'),
        unsafeExecuteSql('create index "sync_conflicts_occurred_at" on "sync_conflicts" ("occurred_at");'),
      ],
    },
    {
      toVersion: 3,
      steps: [
        ...syncedSteps(2),
        unsafeExecuteSql(
          'drop index if exists "tasks_milestone_id"; create index "tasks_milestone_id" on "tasks" ("milestone_id");',
        ),
      ],
    },
    {
      toVersion: 4,
      // What waits for a user is found without reading all tasks and all of their feeds.
      steps: [
        unsafeExecuteSql('create index "tasks_current_stage" on "tasks" ("current_stage");'),
        unsafeExecuteSql('create index "activity_feed_activity_type" on "activity_feed" ("activity_type");'),
      ],
    },
    {
      toVersion: 5,
      // Of feeds that hold thousands of entries, the inbox reads those that are shown.
      steps: [
        unsafeExecuteSql('create index "activity_feed_details" on "activity_feed" ("details");'),
        unsafeExecuteSql(
          'drop index if exists "activity_feed_actor_id"; create index "activity_feed_actor_id" on "activity_feed" ("actor_id");',
        ),
        unsafeExecuteSql(
          'drop index if exists "tasks_current_stage"; create index "tasks_current_stage" on "tasks" ("current_stage");',
        ),
      ],
    },
    {
      toVersion: 6,
      steps: ['patterns', 'best_practices'].map((table) =>
        unsafeExecuteSql(
          `drop index if exists "${table}_workspace_id"; create index "${table}_workspace_id" on "${table}" ("workspace_id");`,
        ),
      ),
    },
  ],
});

/**
 * Steps from one version of the local database to the next; version 1 is the first. The step for a new schema version of
 * the synced tables is `{ toVersion, steps: syncedSteps(version) }`.
 */

import { type SchemaMigrations, schemaMigrations } from './watermelondb';

export const migrations: SchemaMigrations = schemaMigrations({ migrations: [] });

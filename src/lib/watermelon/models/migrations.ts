/**
 * Steps from one version of the local database to the next. Version 1 is the first. What a schema version
 * brought to the synced tables is `{ toVersion, steps: syncedSteps(version) }`.
 */

import { type SchemaMigrations, schemaMigrations } from './watermelondb';

export const migrations: SchemaMigrations = schemaMigrations({ migrations: [] });

/** Steps from one version of the local database to the next. Version 1 is the first. */

import { type SchemaMigrations, schemaMigrations } from './watermelondb';

export const migrations: SchemaMigrations = schemaMigrations({ migrations: [] });

/** The local stack: the part of Supabase that Convoy uses, in one process. */

export type { SqlBackend, SqlConnection, SqlFailure, TransactionOptions } from './database/backend';
export { openPgliteFolder, openPgliteInMemory, type PgliteBackend } from './database/pglite';
export { openPostgres } from './database/postgres';
export { type PreparedDatabase, prepareDatabase } from './database/prepare';
export type { StackError } from './errors';
export type { DemoAccount, PageConfig } from './http/webApp';
export { type Migration, packageRoot, readStackSql, type SqlSource, type StackSql } from './projectFiles';
export {
  type DataSource,
  DEMO_ACCOUNTS,
  type HostedApp,
  type LocalStack,
  type LocalStackOptions,
  serveHostedApp,
  startLocalStack,
} from './stack';

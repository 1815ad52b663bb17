/** Why the local stack could not start. `message` states the cause and the remedy. */
export interface StackError {
  code:
    | 'port_in_use'
    | 'cannot_listen'
    | 'data_locked'
    | 'data_foreign'
    | 'data_broken'
    | 'data_newer'
    | 'migration_changed'
    | 'migration_failed'
    | 'database_unreachable'
    | 'reset_refused';
  message: string;
}

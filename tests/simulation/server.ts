/**
 * The server's end in this process: the real SQL in PGlite behind the real API of the local stack,
 * called without sockets. Between runs it goes back to its beginning.
 */

import type { HttpBindings } from '@hono/node-server';
import { hashSync } from 'bcryptjs';
import { SYNCED_TABLES } from '@/domain/schema';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { prepareDatabase, readStackSql, type SqlBackend } from '@/server';
import { createRefreshTokens } from '@/server/auth/refreshTokens';
import { createAuthService } from '@/server/auth/service';
import { createTokens, type Tokens } from '@/server/auth/tokens';
import { api } from '@/server/http/api';
import { openMigrated } from '../support/template';
import { setStepRecords } from '../support/work';
import { CLAIM_WITNESS } from './claimWitnessSql';
import { FORGET_KEYS, KEY_WITNESS } from './keyWitness';
import { REVIEW_WITNESS } from './reviewWitnessSql';

export const SERVER_URL = 'http://convoy.test';
export const PASSWORD = 'simulated-password';

type Value = string | number | boolean | null;

export interface SimUser {
  id: string;
  name: string;
  kind: 'human' | 'agent';
}

const user = (n: number, name: string, kind: SimUser['kind'] = 'human'): SimUser => ({
  id: `019b0000-0000-7000-8000-00000000000${n}`,
  name,
  kind,
});

export const USERS = {
  olga: user(1, 'olga'),
  oskar: user(2, 'oskar'),
  edgar: user(3, 'edgar'),
  vera: user(4, 'vera'),
  agnes: user(5, 'agnes', 'agent'),
} as const;
export const ALL_USERS: readonly SimUser[] = Object.values(USERS);

export const emailOf = (who: SimUser): string => `${who.name}@simulated.example`;

/** Rows of some scopes with their clocks: the contents of a backup. */
export interface Backup {
  scopes: readonly string[];
  tables: Record<string, string>;
  /** The ledger of devices too: a backup of the whole database. */
  isWhole: boolean;
}

const SCOPED: readonly [table: string, scope: string][] = [
  ['convoy.scope_clocks', 'scope_id'],
  ['convoy.scope_revisions', 'scope_id'],
  ['convoy.purged_tags', 'scope_id'],
  ['convoy.unfinished_deletions', 'workspace_id'],
  ['convoy.key_counters', 'workspace_id'],
  ['convoy.deletion_steps', 'workspace_id'],
  ...SYNCED_TABLES.map((table): [string, string] => [`public.${table}`, 'workspace_id']),
];

/** Records of a step of a deletion, so that many go on in steps (U44); in a large workspace as many as usual. */
const STEP_RECORDS = 3;
const USUAL_STEP_RECORDS = 2_000;

/** Deletes what runs leave. With triggers, unlike `putBack`: to switch them off makes PostgreSQL forget all its plans. */
const START_OVER = [
  "set local convoy.purge = 'on'",
  ...[...SYNCED_TABLES]
    .reverse()
    .map((table) => `delete from public.${table} where workspace_id <> '${GLOBAL_SCOPE_ID}'`),
  `delete from convoy.scope_clocks where scope_id <> '${GLOBAL_SCOPE_ID}'`,
  'delete from convoy.devices',
  'delete from convoy.conflicts',
  'delete from witness.moves',
  'delete from witness.loud_claims',
  'delete from witness.news',
  'delete from witness.forged_reviews',
  ...FORGET_KEYS,
  'delete from local_stack.sessions',
].join(';\n');

/** An independent record of every move of a task, with its user. */
const WITNESS = `
  create schema if not exists witness;
  create table if not exists witness.moves (
    n bigserial, task_id uuid, workspace_id uuid, workflow_id uuid, old_stage text, new_stage text,
    finished boolean, was_finished boolean, actor uuid
  );
  create or replace function witness.note_move() returns trigger language plpgsql security definer as $$
  begin
    insert into witness.moves (task_id, workspace_id, workflow_id, old_stage, new_stage, finished, was_finished, actor)
    values (new.id, new.workspace_id, new.workflow_id, case when tg_op = 'UPDATE' then old.current_stage end,
      new.current_stage, new.status = 'done' or new.completion_date is not null,
      tg_op = 'UPDATE' and (old.status = 'done' or old.completion_date is not null), auth.uid());
    return null;
  end $$;
  create or replace trigger zz_witness_insert after insert on public.tasks
    for each row execute function witness.note_move();
  create or replace trigger zz_witness_update after update on public.tasks for each row
    when ((new.current_stage, new.status, new.completion_date) is distinct from (old.current_stage, old.status, old.completion_date))
    execute function witness.note_move();
`;

/** Signatures are checked once: every request of a device carries the same token until it expires. */
function remembering(tokens: Tokens, now: () => number): Tokens {
  const known = new Map<string, Awaited<ReturnType<Tokens['verify']>>>();
  return {
    ...tokens,
    async verify(token) {
      const before = known.get(token);
      if (before?.ok && (before.value.exp ?? 0) * 1000 > now()) return before;
      const verified = await tokens.verify(token);
      if (known.size > 100) known.clear();
      known.set(token, verified);
      return verified;
    },
  };
}

interface Member {
  /** By workspace. */
  roles: Map<string, string>;
  /** Ids. */
  memberships: Set<string>;
}

export class SimServer {
  /** By user, cached until the next write. */
  private members: ReadonlyMap<string, Member> | null = null;
  private stepRecords = USUAL_STEP_RECORDS;

  private constructor(
    readonly backend: SqlBackend,
    private readonly app: { fetch(request: Request, env: unknown): Response | Promise<Response> },
    readonly anonKey: string,
  ) {}

  /** @param planted statements with a bug in them */
  static async start(planted: readonly string[] = []): Promise<SimServer> {
    const backend = await openMigrated(false, 'schemas');
    // Data of a handful of rows: to plan a statement takes longer than the plan could save.
    await backend.transaction((connection) => connection.execute('set plan_cache_mode = force_generic_plan'));
    const prepared = await prepareDatabase(backend, readStackSql(undefined, 'schemas'), { demo: false });
    if (!prepared.ok) throw new Error(prepared.error.message);
    const { jwtSecret, createdAt } = prepared.value;
    const now = () => Date.now();
    const log = (message: string) => console.error(message);
    const tokens = remembering(createTokens(jwtSecret, now), now);
    const anonKey = await tokens.signApiKey('anon', createdAt);
    const auth = createAuthService({
      backend,
      tokens,
      refreshTokens: createRefreshTokens(jwtSecret),
      now,
      log,
    });
    const app = api({
      backend,
      tokens,
      apiKeys: new Set([anonKey]),
      auth,
      maxBodyBytes: 32 * 1024 * 1024,
    });
    const server = new SimServer(backend, app, anonKey);
    for (const script of [...planted, WITNESS, CLAIM_WITNESS, KEY_WITNESS, REVIEW_WITNESS])
      await server.script(script);
    await server.addUsers();
    return server;
  }

  /** Answers a request as the stack would. */
  async fetch(request: Request): Promise<Response> {
    const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } } as unknown as HttpBindings;
    const response = await this.app.fetch(request, env);
    if (!request.url.endsWith('/sync_pull')) this.members = null;
    return response;
  }

  /** Runs a statement as the owner of the database. @throws when it is refused */
  async sql<Row = Record<string, unknown>>(text: string, values: readonly Value[] = []): Promise<Row[]> {
    this.members = null;
    return this.query<Row>(text, values);
  }

  private async query<Row>(text: string, values: readonly Value[] = []): Promise<Row[]> {
    const done = await this.backend.transaction((connection) => connection.query<Row>(text, values));
    if (!done.ok) throw new Error(`${done.error.message} (${done.error.sqlState})`);
    return done.value;
  }

  /** Calls a function of the API as a user, past all devices. @throws when the call fails */
  async callAs(userId: string, name: string, request: object): Promise<void> {
    this.members = null;
    const claims = JSON.stringify({ sub: userId });
    const done = await this.backend.transaction(
      (connection) => connection.query(`select public.${name}($1::jsonb)`, [JSON.stringify(request)]),
      { settings: { role: 'authenticated', 'request.jwt.claims': claims } },
    );
    if (!done.ok) throw new Error(`${done.error.message} (${done.error.sqlState})`);
  }

  async script(text: string): Promise<void> {
    this.members = null;
    const done = await this.backend.transaction((connection) => connection.execute(text));
    if (!done.ok) throw new Error(`${done.error.message} (${done.error.sqlState})`);
  }

  async backUp(scopes: readonly string[], isWhole = false): Promise<Backup> {
    const tables: Record<string, string> = {};
    await this.backend.transaction(async (connection) => {
      for (const [table, scope] of SCOPED) {
        const [row] = await connection.query<{ rows: string }>(
          `select coalesce(json_agg(t), '[]')::text as rows from ${table} t where t.${scope} = any ($1::uuid[])`,
          [`{${scopes.join(',')}}`],
        );
        tables[table] = row?.rows ?? '[]';
      }
      if (!isWhole) return;
      const [row] = await connection.query<{ rows: string }>(
        "select coalesce(json_agg(t), '[]')::text as rows from convoy.devices t",
      );
      tables['convoy.devices'] = row?.rows ?? '[]';
    });
    return { scopes, tables, isWhole };
  }

  /** Puts a backup back, without a trigger noticing: as restoring a dump does. */
  async putBack(backup: Backup): Promise<void> {
    this.members = null;
    const inScopes = `= any ('{${backup.scopes.join(',')}}'::uuid[])`;
    const done = await this.backend.transaction(async (connection) => {
      await connection.execute('set local session_replication_role = replica');
      for (const [table, scope] of SCOPED) {
        await connection.execute(
          backup.isWhole ? `delete from ${table}` : `delete from ${table} where ${scope} ${inScopes}`,
        );
      }
      if (backup.isWhole) await connection.execute('delete from convoy.devices');
      for (const [table, rows] of Object.entries(backup.tables)) {
        if (rows === '[]') continue;
        await connection.query(
          `insert into ${table} overriding system value select * from json_populate_recordset(null::${table}, $1::json)`,
          [rows],
        );
      }
    });
    if (!done.ok) throw new Error(`${done.error.message} (${done.error.sqlState})`);
  }

  /**
   * Returns to the state before the first write.
   * @param isLarge whether the next run has a workspace of thousands of records
   */
  async startOver(isLarge = false): Promise<void> {
    this.members = null;
    await this.script(START_OVER);
    const records = isLarge ? USUAL_STEP_RECORDS : STEP_RECORDS;
    if (records === this.stepRecords) return;
    this.stepRecords = records;
    await setStepRecords({ query: (text) => this.query(text) }, records);
  }

  /** @returns a user's role in each workspace they may see, straight from the table. */
  async rolesOf(userId: string): Promise<ReadonlyMap<string, string>> {
    return (await this.allMembers()).get(userId)?.roles ?? new Map();
  }

  /** @returns the ids of a user's memberships. */
  async membershipsOf(userId: string): Promise<ReadonlySet<string>> {
    return (await this.allMembers()).get(userId)?.memberships ?? new Set();
  }

  private async allMembers(): Promise<ReadonlyMap<string, Member>> {
    if (this.members) return this.members;
    const members = new Map<string, Member>();
    const rows = await this.query<{ id: string; user: string; workspace: string; role: string }>(
      `select m.id::text as id, m.user_id::text as user, m.workspace_id::text as workspace, m.role
         from public.workspace_members m where m.deleted_at is null`,
    );
    for (const { id, user, workspace, role } of rows) {
      const member = members.get(user) ?? { roles: new Map(), memberships: new Set() };
      members.set(user, member);
      member.roles.set(workspace, role);
      member.memberships.add(id);
    }
    this.members = members;
    return members;
  }

  /** @returns ids of the rows that were deleted by these deletions, or by those whose restore is under way (U44). */
  async comingBack(deletions: readonly string[]): Promise<string[]> {
    const restored = JSON.stringify(deletions);
    const of = `(select value::uuid from jsonb_array_elements_text($1::text::jsonb)
      union select u.deletion_id from convoy.unfinished_deletions u where u.restores or u.restore_wanted)`;
    const [under] = await this.query<{ some: boolean }>(`select exists ${of} as some`, [restored]);
    if (!under?.some) return [];
    const tables = SYNCED_TABLES.filter((table) => table !== 'deletions').map(
      (table) => `select id::text as id from public.${table} where deletion_id in ${of}`,
    );
    const rows = await this.query<{ id: string }>(tables.join(' union all '), [restored]);
    return rows.map(({ id }) => id);
  }

  /** @returns the scopes a user may see. */
  async visibleTo(userId: string): Promise<Set<string>> {
    return new Set([GLOBAL_SCOPE_ID, ...(await this.rolesOf(userId)).keys()]);
  }

  async close(): Promise<void> {
    await this.backend.close();
  }

  private async addUsers(): Promise<void> {
    // The cheapest hash there is: signing in happens on every device of every run.
    const hashed = hashSync(PASSWORD, 4);
    for (const one of ALL_USERS) {
      await this.sql(
        `insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at,
           raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
         values ($1::uuid, 'authenticated', 'authenticated', $2, $3, now(), $4::jsonb, $5::jsonb, now(), now())`,
        [
          one.id,
          emailOf(one),
          hashed,
          JSON.stringify({ kind: one.kind }),
          JSON.stringify({ display_name: one.name }),
        ],
      );
    }
  }
}

/** Users who push and pull by calling the database's functions, without a device. */

import { randomUUID } from 'node:crypto';
import type {
  Cursor,
  Json,
  PullAnswer,
  PullRequest,
  PushAnswer,
  PushChange,
  PushOutcome,
  PushRequest,
  StepAnswer,
} from '@/core/protocol';
import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import type { MemberKind, Role } from '@/domain/vocabulary';
import type { SqlConnection } from '@/server';
import type { TestDatabase } from './database';

export interface Failure {
  error: { code: string; message?: string };
}

export class SyncUser {
  device: string = randomUUID();
  batch = 0;

  constructor(
    readonly database: TestDatabase,
    readonly id: string,
  ) {}

  /** Pushes; `request` overrides the fields of a valid request. */
  async pushRaw(changes: unknown, request: Record<string, unknown> = {}): Promise<PushAnswer | Failure> {
    return this.call('sync_push', this.pushRequest(changes, request));
  }

  /** Pushes within a transaction of this user's, which may go on. */
  async pushWithin(connection: SqlConnection, changes: PushChange[]): Promise<PushAnswer> {
    return expectAnswer(await ask<PushAnswer | Failure>(connection, 'sync_push', this.pushRequest(changes)));
  }

  /** @throws when the push as a whole is answered with an error. */
  async push(
    changes: PushChange[],
    request: Partial<Omit<PushRequest, 'changes'>> = {},
  ): Promise<PushAnswer> {
    return expectAnswer(await this.pushRaw(changes, request));
  }

  /** Pushes one change. @returns its outcome. */
  async pushOne(
    change: PushChange,
    request: Partial<Omit<PushRequest, 'changes'>> = {},
  ): Promise<PushOutcome> {
    const [outcome] = (await this.push([change], request)).outcomes;
    if (!outcome) throw new Error('The push was answered without an outcome.');
    return outcome;
  }

  /** Pushes changes that are JSON text, for values that JavaScript cannot print. */
  async pushText(changes: string): Promise<PushAnswer> {
    const request = JSON.stringify(this.pushRequest('@')).replace('"@"', () => changes);
    const answer = await this.database.as(this.id, (connection) =>
      askText<PushAnswer | Failure>(connection, 'sync_push', request),
    );
    return expectAnswer(answer);
  }

  pullRaw(request: Record<string, unknown> = {}): Promise<PullAnswer | Failure> {
    return this.call('sync_pull', {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id: this.id,
      cursors: {},
      skip: {},
      limit: 5000,
      ...request,
    });
  }

  /** @throws when the pull is answered with an error. */
  async pull(cursors: Record<string, Cursor> = {}, request: Partial<PullRequest> = {}): Promise<PullAnswer> {
    return expectAnswer(await this.pullRaw({ cursors, ...request }));
  }

  /** Pulls until there is no more. @returns the pages and where the user stands then. */
  async pullAll(
    cursors: Record<string, Cursor> = {},
    request: Partial<PullRequest> = {},
  ): Promise<{ pages: PullAnswer[]; cursors: Record<string, Cursor> }> {
    const pages: PullAnswer[] = [];
    let standing = cursors;
    for (;;) {
      const page = await this.pull(standing, request);
      pages.push(page);
      standing = { ...standing, ...page.cursors };
      if (!page.more) return { pages, cursors: standing };
      if (pages.length > 1000) throw new Error('The pull does not come to an end.');
    }
  }

  /** Takes one step of the deletions and restores that are under way (U44). @returns whether there is more to do */
  async step(): Promise<boolean> {
    return expectAnswer(await this.stepRaw()).left;
  }

  stepRaw(): Promise<StepAnswer | Failure> {
    return this.call('sync_steps', {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id: this.id,
    });
  }

  /** Asks for the heads of scopes; without any, of all. */
  headsRaw(scopes?: unknown): Promise<{ heads: Record<string, number> } | Failure> {
    return this.call('sync_heads', {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id: this.id,
      scopes,
    });
  }

  private pushRequest(changes: unknown, request: Record<string, unknown> = {}): Record<string, unknown> {
    this.batch += 1;
    return {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id: this.id,
      device_id: this.device,
      batch: this.batch,
      cursors: {},
      skip: {},
      changes,
      ...request,
    };
  }

  private call<T>(name: string, request: Record<string, unknown>): Promise<T> {
    return this.database.as(this.id, (connection) => ask<T>(connection, name, request));
  }
}

function ask<T>(connection: SqlConnection, name: string, request: Record<string, unknown>): Promise<T> {
  return askText(connection, name, JSON.stringify(request));
}

async function askText<T>(connection: SqlConnection, name: string, request: string): Promise<T> {
  const text = `select public.${name}($1::jsonb)::text as answer`;
  const [row] = await connection.query<{ answer: string }>(text, [request]);
  return JSON.parse(row?.answer ?? 'null') as T;
}

function expectAnswer<T extends object>(answer: T | Failure): T {
  if ('error' in answer) throw new Error(`refused: ${answer.error.code} ${answer.error.message ?? ''}`);
  return answer as T;
}

/** Signs a user up, whose e-mail address is confirmed unless it is said otherwise. */
export async function createUser(
  database: TestDatabase,
  options: { name?: string; email?: string; kind?: MemberKind; isConfirmed?: boolean } = {},
): Promise<SyncUser> {
  const id = randomUUID();
  const name = options.name ?? 'Somebody';
  await database.query(
    `insert into auth.users (id, email, raw_app_meta_data, raw_user_meta_data, email_confirmed_at)
     values ($1::uuid, $2, $3::jsonb, $4::jsonb, case when $5::boolean then now() end)`,
    [
      id,
      options.email ?? `${id}@convoy.example`,
      JSON.stringify({ kind: options.kind ?? 'human' }),
      JSON.stringify({ display_name: name }),
      options.isConfirmed ?? true,
    ],
  );
  return new SyncUser(database, id);
}

/** Changes in one workspace. Each is a group of its own by default. */
export class Changes {
  private groups = 0;

  constructor(readonly workspace: string) {}

  insert(table: SyncedTable, values: Record<string, Json>, more: Partial<PushChange> = {}): PushChange {
    return this.change('insert', table, randomUUID(), {
      values,
      edited_at: { created_at: '2026-01-05T10:00:00.000Z' },
      ...more,
    });
  }

  update(
    table: SyncedTable,
    id: string,
    base: number | null,
    values: Record<string, Json>,
    more: Partial<PushChange> = {},
  ): PushChange {
    return this.change('update', table, id, { base, values, edited_at: {}, ...more });
  }

  delete(table: SyncedTable, id: string, base: number | null, more: Partial<PushChange> = {}): PushChange {
    return this.change('delete', table, id, { base, ...more });
  }

  private change(
    op: PushChange['op'],
    table: SyncedTable,
    id: string,
    more: Partial<PushChange>,
  ): PushChange {
    this.groups += 1;
    return { table, op, id, workspace_id: this.workspace, base: null, group: this.groups, ...more };
  }
}

/** Makes users members, as an operator does. @returns the ids of the memberships, in the order of the users. */
export async function addMembers(
  database: TestDatabase,
  workspace: string,
  ...members: readonly (readonly [SyncUser, Role])[]
): Promise<string[]> {
  const rows = members.map(([{ id }, role]) => ({ id: randomUUID(), user_id: id, role }));
  await database.query(
    `insert into public.workspace_members (id, workspace_id, user_id, role)
       select m.id, $1::uuid, m.user_id, m.role
       from jsonb_to_recordset($2::jsonb) m (id uuid, user_id uuid, role text)`,
    [workspace, JSON.stringify(rows)],
  );
  return rows.map(({ id }) => id);
}

export interface Team {
  workspace: string;
  project: string;
  milestone: string;
  task: string;
  /** The revision all of it was made at. */
  revision: number;
  owner: SyncUser;
  editor: SyncUser;
  viewer: SyncUser;
  agent: SyncUser;
  /** Signed in, but no member. */
  stranger: SyncUser;
  make: Changes;
}

/** A workspace with a member of each role, a project, a milestone and a task. */
export async function createTeam(database: TestDatabase): Promise<Team> {
  const user = (name: string, kind: MemberKind = 'human') => createUser(database, { name, kind });
  const owner = await user('Olga');
  const editor = await user('Edgar');
  const viewer = await user('Vera');
  const agent = await user('Agent', 'agent');
  const stranger = await user('Stella');

  const workspace = randomUUID();
  const make = new Changes(workspace);
  const project = make.insert('projects', { name: 'Project' });
  const milestone = make.insert('milestones', { name: 'Milestone', project_id: project.id });
  const task = make.insert('tasks', { title: 'Task', milestone_id: milestone.id });
  await owner.push([make.insert('workspaces', { name: 'Workspace' }, { id: workspace })]);
  await addMembers(database, workspace, [editor, 'editor'], [viewer, 'viewer'], [agent, 'agent']);
  const answer = await owner.push([project, milestone, task]);
  const refused = answer.outcomes.find((one) => one.outcome !== 'applied');
  if (refused) throw new Error(`The team was refused: ${JSON.stringify(refused)}`);
  return {
    workspace,
    project: project.id,
    milestone: milestone.id,
    task: task.id,
    revision: answer.revisions[workspace]?.revision ?? 0,
    owner,
    editor,
    viewer,
    agent,
    stranger,
    make,
  };
}

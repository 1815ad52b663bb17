/**
 * Requests that no device of ours makes, from a seed: whoever may not write changes nothing, whoever may not read
 * learns nothing, and an agent passes no checkpoint, whatever is asked and in whichever spelling.
 */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Column, columnsOf, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { Random } from '../../simulation/random';
import { openDatabase, Refused, type TestDatabase } from '../../support/database';
import { addMembers, createTeam, createUser, type SyncUser, type Team } from '../../support/syncUser';

/** Stands in every text of the workspace that is attacked. */
const SECRET = 'sealed';
const REQUESTS = 150;

let database: TestDatabase;
let team: Team;
/** What is in the workspace that is attacked, by table; deleted rows included, and not what its attackers may end. */
const sealed = {} as Record<SyncedTable, string[]>;
let former: SyncUser;
let strangers: { workspace: string; milestone: string; tasks: string[] };

beforeAll(async () => {
  database = await openDatabase();
  team = await createTeam(database);
  const { owner, make } = team;
  former = await createUser(database);
  const [membership = ''] = await addMembers(database, team.workspace, [former, 'editor']);
  const tasks = Array.from({ length: 4 }, (_, n) =>
    make.insert('tasks', {
      title: `${SECRET} ${n}`,
      description: `${SECRET} text`,
      milestone_id: team.milestone,
      current_stage: n === 0 ? 'PLAN_REVIEW' : 'PLAN',
    }),
  );
  const [first, second, third, gone] = tasks.map(({ id }) => id) as [string, string, string, string];
  await owner.push([
    make.update('workspaces', team.workspace, null, { name: `${SECRET} workspace` }),
    make.update('projects', team.project, null, { name: SECRET, tech_stack: [SECRET] }),
    make.update('milestones', team.milestone, null, { name: SECRET }),
    ...tasks,
    make.insert('task_dependencies', { task_id: first, depends_on_task_id: second }),
    make.insert('activity_feed', { task_id: first, activity_type: 'comment', details: { text: SECRET } }),
    make.insert('patterns', { name: SECRET, content: { text: SECRET } }),
    make.insert('best_practices', { name: SECRET, project_id: team.project }),
    make.insert('workflows', {
      name: SECRET,
      stages: [
        { name: 'PLAN', description: SECRET, order: 1, is_checkpoint: false },
        { name: 'REVIEW', description: '', order: 2, is_checkpoint: true },
        { name: 'DONE', description: '', order: 3, is_checkpoint: false },
      ],
    }),
    make.update('tasks', third, null, { parent_task_id: second }),
  ]);
  await owner.push([make.delete('tasks', gone, null, { values: { deletion_id: randomUUID() } })]);
  await owner.push([make.delete('workspace_members', membership, null)]);
  for (const table of SYNCED_TABLES) {
    const rows = await database.query<{ id: string }>(
      `select id::text as id from public.${table} where workspace_id = '${team.workspace}'
       ${table === 'workspace_members' ? `and user_id not in ('${team.viewer.id}', '${team.agent.id}')` : ''}`,
    );
    sealed[table] = rows.map(({ id }) => id);
    expect(sealed[table], table).not.toEqual([]);
  }
  const own = await createTeam(database);
  strangers = { workspace: own.workspace, milestone: own.milestone, tasks: [own.task] };
  for (const user of [team.stranger, former]) {
    await addMembers(database, own.workspace, [user, 'owner']);
  }
});
afterAll(() => database.close());

/** Makes up requests. All it knows of the workspace are its ids, as somebody who was a member once does. */
class Attacker {
  constructor(
    private readonly random: Random,
    private readonly me: SyncUser,
    /** Whether it also tries what is no sound request. */
    private readonly isNasty: boolean,
  ) {}

  changes(): unknown[] {
    const { random } = this;
    const claims = random.chance(0.3) ? [this.claim()] : [];
    return [...claims, ...Array.from({ length: 1 + random.below(8) }, () => this.change())];
  }

  cursors(): Record<string, unknown> {
    if (this.random.chance(0.6)) return {};
    const revision = this.random.pick([0, 1, 2, 3, 100, -1, 2 ** 60]);
    const extra = this.random.pick([
      {},
      { target: 3 },
      { own: { revision: 2, tag: 'x' } },
      { after: this.id() },
    ]);
    return { [this.workspace()]: { revision, tag: this.random.pick(['', 'x', '0'.repeat(16)]), ...extra } };
  }

  private claim(): unknown {
    const id = this.workspace();
    return {
      table: 'workspaces',
      op: 'insert',
      id,
      workspace_id: id,
      base: null,
      group: 0,
      values: { name: 'mine' },
    };
  }

  private change(): unknown {
    const { random } = this;
    const table = random.pick(SYNCED_TABLES);
    return {
      table,
      op: random.weighted([
        ['update', 4],
        ['insert', 3],
        ['delete', 2],
      ]),
      id: this.spelled(random.chance(0.7) ? random.pick(sealed[table]) : this.id()),
      workspace_id: this.spelled(this.workspace()),
      base: random.pick([null, 0, 1, 2, 3, 1_000, -1, '1']),
      group: random.chance(0.3) ? random.below(3) : random.below(1_000),
      values: this.values(table),
      edited_at: random.chance(0.5) ? {} : { title: '2099-01-01T00:00:00.000Z', created_at: 'yesterday' },
    };
  }

  private values(table: SyncedTable): Record<string, unknown> {
    const { random } = this;
    const values: Record<string, unknown> = {};
    for (const [name, column] of Object.entries(columnsOf(table))) {
      if (random.chance(0.6)) continue;
      if (column.kind === 'ref') values[name] = this.spelled(this.reference(column));
      else values[name] = !this.isNasty || random.chance(0.8) ? this.sound(name, column) : this.odd();
    }
    const hidden = [
      'workspace_id',
      'deletion_id',
      'along_with',
      'revision',
      'deleted_at',
      'last_modified_by',
    ];
    if (this.isNasty && random.chance(0.2)) values[random.pick(hidden)] = this.spelled(this.id());
    return values;
  }

  private reference({ to }: Column): string {
    const isFitting = to !== undefined && to !== 'user' && this.random.chance(0.6);
    return isFitting ? this.random.pick(sealed[to]) : this.id();
  }

  private sound(name: string, { kind, oneOf }: Column): unknown {
    const { random } = this;
    if (oneOf) return random.pick(oneOf);
    if (name === 'current_stage') return random.pick(['PLAN', 'PLAN_REVIEW', 'IMPLEMENT', 'COMMIT', 'DONE']);
    if (name === 'stages') return [{ name: 'PLAN', order: 1, is_checkpoint: false, description: '' }];
    if (name === 'activity_type') return 'comment';
    if (kind === 'number') return random.below(9);
    if (kind === 'time') return '2026-01-01T00:00:00Z';
    return kind === 'json' ? {} : `text ${random.below(9)}`;
  }

  private odd(): unknown {
    return this.random.pick(['', null, 1, true, -1e300, 'x'.repeat(300), [], {}, { text: 'x' }, 'DONE']);
  }

  private workspace(): string {
    return this.random.weighted([
      [team.workspace, 5],
      [strangers.workspace, 3],
      [GLOBAL_SCOPE_ID, 1],
      [randomUUID(), 1],
    ]);
  }

  private id(): string {
    const { random } = this;
    const foreign = () => random.pick(sealed[random.pick(SYNCED_TABLES)]);
    return random.weighted([
      [foreign(), 5],
      [random.pick([strangers.workspace, strangers.milestone, ...strangers.tasks]), 3],
      [random.pick([this.me.id, team.owner.id, STANDARD_WORKFLOW_ID]), 1],
      [randomUUID(), 1],
    ]);
  }

  private spelled(id: string): unknown {
    if (!this.isNasty) return id;
    return this.random.weighted<() => unknown>([
      [() => id, 12],
      [() => id.toUpperCase(), 1],
      [() => `{${id}}`, 1],
      [() => id.replaceAll('-', ''), 1],
      [() => null, 1],
    ])();
  }
}

/** @returns a statement that gives one text of all that is stored in these tables of the workspace */
const textOf = (tables: readonly SyncedTable[]) =>
  `select coalesce(string_agg(row, ',' order by row), '') as text from (${tables
    .map((table) => `select to_jsonb(t)::text as row from public.${table} t where workspace_id = $1::uuid`)
    .join(' union all ')}) r`;

async function stored(tables: readonly SyncedTable[]): Promise<string | undefined> {
  const [row] = await database.query<{ text: string }>(textOf(tables), [team.workspace]);
  return row?.text;
}

const everything = () => stored(SYNCED_TABLES);

/** @returns what was answered, as text; what the database itself refuses tells nothing but a code and a message */
async function answerTo(ask: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await ask());
  } catch (error) {
    if (error instanceof Refused) return JSON.stringify(error.failure);
    throw error;
  }
}

async function attack(me: SyncUser, seed: number, check: (answer: string, said: string) => Promise<void>) {
  const random = new Random(seed);
  const attackers = [true, false].map((isNasty) => new Attacker(random, me, isNasty));
  for (let n = 0; n < REQUESTS; n += 1) {
    const attacker = random.pick(attackers);
    const changes = attacker.changes();
    const cursors = attacker.cursors();
    const said = JSON.stringify({ changes, cursors });
    await check(await answerTo(() => me.pushRaw(changes, random.chance(0.3) ? { cursors } : {})), said);
    if (random.chance(0.3)) await check(await answerTo(() => me.pullRaw({ cursors, limit: 50 })), said);
  }
}

describe('hostile requests', () => {
  /** What one of them has written into a workspace that both see is no news to the other. */
  const sent = new Set<string>();

  for (const [who, user] of [
    ['a stranger', () => team.stranger],
    ['a former member', () => former],
  ] as const) {
    it(`requests of ${who} who knows every id change nothing and reveal nothing (R7, P-PRIVATE)`, async () => {
      const before = await everything();
      const ids = Object.values(sealed).flat();
      await attack(user(), who.length, async (answer, said) => {
        for (const id of ids)
          if (said.toLowerCase().replaceAll('-', '').includes(id.replaceAll('-', ''))) sent.add(id);
        expect(answer, said).not.toContain(SECRET);
        const told = ids.filter((id) => !sent.has(id) && answer.includes(id));
        expect(told, said).toEqual([]);
        expect(await everything(), said).toBe(before);
      });
      expect(sent.size).toBeGreaterThan(5);
    });
  }

  it('requests of a viewer change nothing (P-PRIVATE)', async () => {
    const before = await everything();
    await attack(team.viewer, 3, async (_answer, said) => {
      expect(await everything(), said).toBe(before);
    });
  });

  it('requests of an agent move no task past a checkpoint, and leave workflows and members alone (R4, P-CHECKPOINT)', async () => {
    const guarded = () => stored(['workflows', 'workspace_members']);
    const before = await guarded();
    let changed = 0;
    await attack(team.agent, 4, async (answer, said) => {
      if (answer.includes('"applied"')) changed += 1;
      expect(await guarded(), said).toBe(before);
      const past = await database.query(
        `select id, title, current_stage, status from public.tasks where workspace_id = '${team.workspace}'
         and (current_stage not in ('PLAN', 'PLAN_REVIEW') or status = 'done' or completion_date is not null
           or workflow_id is not null)`,
      );
      expect(past, said).toEqual([]);
    });
    expect(changed, 'some of it is what agents may do').toBeGreaterThan(5);
  });
});

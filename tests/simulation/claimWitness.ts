/**
 * What is watched of claims on the wire: that the answers grant no task twice, and that leases are the server's. By the state of the
 * tables before each request, and by a clock and a rule of its own.
 */

import { randomUUID } from 'node:crypto';
import { type Json, PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import type { Claim } from '@/domain/work';
import type { Answer, Flight } from './network';
import type { Oracle } from './oracle';
import type { SimServer } from './server';

interface Standing {
  claimed_by: string | null;
  claim_id: string | null;
  is_live: boolean;
  /** Of the task's workspace. */
  scope: string;
  /** Its head. */
  head: string;
  /** Some owner of it, who may delete the task. */
  owner: string | null;
}

interface ClaimBody {
  claim?: Claim;
  error?: unknown;
}

/** ms that a lease may be off, for the rounding of times. */
const LEEWAY_MS = 1_000;
const [LEAST_MS, MOST_MS] = [60_000, 60 * 60_000];

export class ClaimWitness {
  private before: Standing | null = null;

  constructor(
    private readonly server: SimServer,
    private readonly oracle: Oracle,
  ) {}

  async serving(flight: Flight): Promise<void> {
    this.before = null;
    if (!isAboutClaims(flight)) return;
    const { task_id } = requestOf(flight);
    const [found] = await this.server.sql<Standing>(
      `select t.workspace_id::text as scope, (
           select c.revision::text from convoy.scope_clocks c where c.scope_id = t.workspace_id) as head, (
           select min(m.user_id::text) from public.workspace_members m
           where m.workspace_id = t.workspace_id and m.role = 'owner' and m.deleted_at is null) as owner,
         t.claimed_by::text as claimed_by, t.claim_id, t.claim_id is not null and (
         coalesce(t.claimed_until > to_timestamp($2::double precision / 1000), false) or exists (
           select from public.workflows w cross join lateral jsonb_array_elements(w.stages) s
           where w.id = coalesce(t.workflow_id, '00000000-0000-7000-8000-000000000001')
             and s ->> 'name' = t.current_stage and s -> 'is_checkpoint' = 'true')) as is_live
       from public.tasks t where t.id = $1::uuid`,
      [String(task_id), Date.now()],
    );
    this.before = found ?? null;
  }

  async served(flight: Flight, answer: Answer): Promise<void> {
    if (!isAboutClaims(flight) || answer.status !== 200) return;
    const { claim } = JSON.parse(answer.body) as ClaimBody;
    const { before } = this;
    if (!claim || !before) return;
    const request = requestOf(flight);
    const isOwn = before.claimed_by === flight.from.userId;
    const isSame = isOwn && (before.claim_id === request.claim_id || before.claim_id === request.resume);
    if (before.is_live && !isSame) {
      const rule = isOwn ? 'C9' : 'C2';
      const has = `${before.claimed_by} by ${before.claim_id}`;
      this.oracle.violate(
        rule,
        `${flight.from.name} is told that it has ${request.task_id}, which has ${has}`,
      );
    }
    await this.checkQuiet(flight, before);
    const left = Date.parse(claim.claimed_until ?? '') - Date.now();
    const isNew = !before.is_live;
    if (left > MOST_MS + LEEWAY_MS || (isNew && left < LEAST_MS - LEEWAY_MS)) {
      this.oracle.violate('C3', `${flight.from.name} has ${request.task_id} for ${left} ms from now`);
    }
  }

  /** C7: whoever had seen all before the claim deletes the task without a conflict. Tried, and undone. */
  private async checkQuiet(flight: Flight, { scope, head, owner }: Standing): Promise<void> {
    if (owner === null) return;
    const { task_id: id } = requestOf(flight);
    const change = { table: 'tasks', op: 'delete', id, workspace_id: scope, base: Number(head), group: 0 };
    const request = {
      ...{ protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, user_id: owner, device_id: randomUUID() },
      ...{ batch: 1, cursors: {}, skip: {}, changes: [change] },
    };
    let outcome: string | undefined;
    try {
      await this.server.backend.transaction(
        async (connection) => {
          const text = `select public.sync_push($1::jsonb) -> 'outcomes' -> 0 ->> 'outcome' as outcome`;
          const [row] = await connection.query<{ outcome: string }>(text, [JSON.stringify(request)]);
          outcome = row?.outcome;
          throw new Undone();
        },
        { settings: { role: 'authenticated', 'request.jwt.claims': JSON.stringify({ sub: owner }) } },
      );
    } catch (thrown) {
      if (!(thrown instanceof Undone)) throw thrown;
    }
    if (outcome === 'conflict') this.oracle.violate('C7', `the claim of ${id} is news for a deletion`);
  }
}

class Undone extends Error {}

function isAboutClaims({ path }: Flight): boolean {
  return path.includes('/rpc/claim_task') || path.includes('/rpc/renew_claim');
}

function requestOf({ request }: Flight): Record<string, Json> {
  return (request ?? {}) as Record<string, Json>;
}

/** C7: what a push deletes conflicts with news. Judged before it is served: those of its deletes of tasks that nothing stands against. */
export async function quietDeletes(server: SimServer, flight: Flight): Promise<ReadonlySet<number>> {
  const { changes = [], skip = {} } = flight.request as {
    changes?: {
      table: string;
      op: string;
      id: string;
      base: number | null;
      workspace_id: string;
      values?: object;
    }[];
    skip?: Record<string, number[]>;
  };
  const quiet = new Set<number>();
  // What a push moves under what it deletes counts for that (U40).
  const moves = ['milestone_id', 'parent_task_id', 'project_id'];
  if (changes.some(({ op, values = {} }) => op === 'update' && moves.some((name) => name in values)))
    return quiet;
  // An update that expects other values than there are is a conflict as well (U45).
  const asked = changes.flatMap(({ table, op, id, base, workspace_id }, index) =>
    table === 'tasks' && op === 'delete' && base !== null
      ? [{ index, id, base, skip: skip[workspace_id] ?? [] }]
      : [],
  );
  if (asked.length === 0) return quiet;
  // A server of the next version has a table more.
  const [{ hasLabels } = { hasLabels: false }] = await server.sql<{ hasLabels: boolean }>(
    `select to_regclass('public.labels') is not null as "hasLabels"`,
  );
  const found = await server.sql<{ index: number }>(
    `with recursive asked as (
       select * from jsonb_to_recordset($1::jsonb) as a (index integer, id uuid, base bigint, skip jsonb)
     ), below (index, id) as (
       select a.index, t.id from asked a join public.tasks t on t.id = a.id
       union select b.index, c.id from below b join public.tasks c on c.parent_task_id = b.id where c.deleted_at is null
     ), rows (index, revision) as (
       select b.index, n.revision from below b join witness.news n on n.task_id = b.id
       union all select b.index, f.revision from below b join public.activity_feed f on f.task_id = b.id where f.deleted_at is null
       union all select b.index, d.revision from below b join public.task_dependencies d
         on b.id in (d.task_id, d.depends_on_task_id) where d.deleted_at is null
       ${hasLabels ? 'union all select b.index, l.revision from below b join public.labels l on l.task_id = b.id where l.deleted_at is null' : ''}
     )
     select a.index from asked a
     where not exists (
       select from rows r where r.index = a.index and r.revision > a.base
         and not exists (select from jsonb_array_elements_text(a.skip) s where s::bigint = r.revision))`,
    [JSON.stringify(asked)],
  );
  for (const { index } of found) quiet.add(index);
  return quiet;
}

export async function checkQuietClaims(oracle: Oracle, server: SimServer): Promise<void> {
  const loud = await server.sql<{ task_id: string; what: string }>(
    'select task_id::text, what from witness.loud_claims',
  );
  for (const { task_id, what } of loud) oracle.violate('C7', `a claim of ${task_id} is news: ${what}`);
}

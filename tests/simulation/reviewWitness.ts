/**
 * What is watched of reviews on the wire: that only people settle them, by the newest request, of a text that has not changed
 * since (V2 to V4). It asks the tables before each push, and none of the functions that judge it.
 */

import type { PushAnswer, PushChange, PushRequest } from '@/core/protocol';
import type { Flight } from './network';
import type { Oracle } from './oracle';
import { ALL_USERS, type SimServer } from './server';

interface Known {
  id: string;
  newest: string;
  changed: boolean;
  settled: boolean;
  [column: string]: unknown;
}

const isSettling = ({ table, op, values }: PushChange): boolean =>
  table === 'activity_feed' &&
  op === 'insert' &&
  (values?.activity_type === 'review_approved' || values?.activity_type === 'review_returned');

/** A person may forge what an own device would never send: such an entry tells of nothing. */
export const isForgedReview = (change: PushChange): boolean => isSettling(change);

const requestOf = ({ values }: PushChange): string =>
  String((values?.details as { request?: unknown } | undefined)?.request);

export class ReviewWitness {
  /** Of the push that is served: what the server has of the requests that it names. */
  private known = new Map<string, Known>();
  private role: ReadonlyMap<string, string> = new Map();

  constructor(
    private readonly server: SimServer,
    private readonly oracle: Oracle,
  ) {}

  async serving({ request, from }: Flight): Promise<void> {
    const { changes = [] } = request as unknown as Partial<PushRequest>;
    const named = changes.filter(isSettling).map(requestOf);
    this.known = new Map();
    if (named.length === 0) return;
    this.role = await this.server.rolesOf(from.userId);
    const found = await this.server.sql<Known>(
      `select r.id::text as id,
         (select n.id::text from public.activity_feed n
           where n.task_id = r.task_id and n.activity_type = 'review_requested' and n.deleted_at is null
           order by n.revision desc, date_trunc('milliseconds', n.created_at) desc, n.id desc limit 1) as newest,
         coalesce(greatest((t.field_revisions -> 'title' ->> 0)::bigint, (t.field_revisions -> 'description' ->> 0)::bigint)
           > r.revision, false) as changed,
         exists (
           select from public.activity_feed s
           where s.task_id = r.task_id and s.deleted_at is null and s.activity_type like 'review\\_%ed'
             and s.details ->> 'request' = r.id::text) as settled
       from public.activity_feed r join public.tasks t on t.id = r.task_id
       where r.id::text in (select jsonb_array_elements_text($1::jsonb)) and r.activity_type = 'review_requested' and r.deleted_at is null`,
      [JSON.stringify(named)],
    );
    this.known = new Map(found.map((one) => [one.id, one]));
  }

  check({ from, id }: Flight, request: PushRequest, answer: PushAnswer): void {
    const passedOver = new Set(answer.effects.deleted.activity_feed);
    const inserted = new Set(
      request.changes
        .filter(({ table, op }) => table === 'tasks' && op === 'insert')
        .map((change) => change.id),
    );
    for (const [index, change] of request.changes.entries()) {
      if (!isSettling(change) || answer.outcomes[index]?.outcome !== 'applied') continue;
      if (passedOver.has(change.id)) continue;
      const violate = (rule: string, what: string) =>
        this.oracle.violate(rule, `${from.name}, request ${id}: ${what} (${JSON.stringify(change.values)})`);
      const role = this.role.get(change.workspace_id);
      const isPerson = ALL_USERS.find((user) => user.id === from.userId)?.kind === 'human';
      // Whoever makes a workspace owns it, and is known as that afterwards alone.
      if (!isPerson || (role !== undefined && role !== 'owner' && role !== 'editor')) {
        violate('V2', `a review is settled by ${role ?? 'nobody'}`);
      }
      // A task that comes back to a server that has lost it brings its feed.
      if (inserted.has(String(change.values?.task_id))) continue;
      const known = this.known.get(requestOf(change));
      const isBrought = request.changes.some((other) => other.id === requestOf(change));
      if (!known) {
        if (!isBrought) violate('V3', 'a review is settled that nobody has asked for');
      } else if (known.newest !== known.id)
        violate('V3', `a review is settled by an older request than ${known.newest}`);
      else if (known.settled) violate('V3', 'a review is settled twice');
      else if (known.changed) violate('V4', 'a review is settled of a text that has changed');
    }
  }
}

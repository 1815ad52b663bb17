/**
 * What is watched on the wire while a run goes on: that a batch is applied once and resent unchanged,
 * that nobody is sent what they may not see, that groups stay whole and activities tell the truth.
 */

import type { Json, PullAnswer, PullRequest, PushAnswer, PushRequest } from '@/core/protocol';
import { ClaimWitness, quietDeletes } from './claimWitness';
import type { Answer, Flight, NetworkWitness } from './network';
import type { Oracle } from './oracle';
import { isForgedReview, ReviewWitness } from './reviewWitness';
import type { SimServer } from './server';

interface SentBatch {
  changes: string;
  /** The device has heard what became of it. */
  isHeard: boolean;
  /** The answer the server gave when it took it. */
  answer: string | null;
  /** The server knows the outcomes, but not every answer that it sent. */
  isPurged: boolean;
  /** The server has said that it will never take it. */
  isVoid: boolean;
  /** Ids of records that it made, as the device was told when it settled the batch. */
  made: ReadonlySet<string>;
}

/** No work of a person leads to these. */
const FAULTS_OF_THE_DEVICE: ReadonlySet<string> = new Set([
  'malformed',
  'unknown_table',
  'unknown_column',
  'invalid_value',
  'unexpected',
]);

export class ProtocolWitness implements NetworkWitness {
  /** By device id, then by number. */
  private readonly batches = new Map<string, Map<number, SentBatch>>();
  /** Stage moves in the feed. */
  private readonly activities = new Set<string>();
  requests = 0;
  private rolesBefore: ReadonlyMap<string, string> = new Map();
  /** The memberships of the user whose push is served: everybody may leave. */
  private ownBefore: ReadonlySet<string> = new Set();
  /** Of the push that is served: places of changes whose rows are neither as expected nor as wanted. */
  private stale: ReadonlySet<number> = new Set();
  /** Places of deletions that no news stand against. */
  private quiet: ReadonlySet<number> = new Set();
  private readonly claims: ClaimWitness;
  private readonly reviews: ReviewWitness;
  /** User and record of each conflict that the server has told of. */
  private readonly conflicts = new Set<string>();

  constructor(
    private readonly server: SimServer,
    private readonly oracle: Oracle,
  ) {
    this.claims = new ClaimWitness(server, oracle);
    this.reviews = new ReviewWitness(server, oracle);
  }

  /** @returns the changes that the server has accepted so far. */
  taken(): ReadonlySet<unknown> {
    return new Set(this.sent().filter(({ answer, isPurged }) => answer !== null || isPurged));
  }

  /** After a restore the server may have forgotten accepted changes and sent answers. */
  forget(known: ReadonlySet<unknown>): void {
    for (const batch of this.sent())
      Object.assign(batch, { answer: null, isPurged: known.has(batch), isVoid: false, made: new Set() });
  }

  private sent(): SentBatch[] {
    return [...this.batches.values()].flatMap((batches) => [...batches.values()]);
  }

  asked(flight: Flight): void {
    this.requests += 1;
    if (flight.kind !== 'push') return;
    const request = flight.request as unknown as PushRequest & { settle?: true };
    // It asks what became of a batch.
    if (request.settle) return;
    const ofDevice = this.batches.get(request.device_id) ?? new Map<number, SentBatch>();
    this.batches.set(request.device_id, ofDevice);
    const changes = JSON.stringify(request.changes);
    const known = ofDevice.get(request.batch);
    if (!known) {
      const unheard = [...ofDevice].find(([number, batch]) => number < request.batch && !batch.isHeard);
      if (unheard) {
        this.violate('U1', flight, `batch ${request.batch} is sent before ${unheard[0]} was answered`);
      }
      ofDevice.set(request.batch, {
        changes,
        isHeard: false,
        answer: null,
        isPurged: false,
        isVoid: false,
        made: new Set(),
      });
      this.checkRemade(flight, request, [...ofDevice.values()]);
    } else if (known.changes !== changes && !known.isHeard) {
      this.violate('U1', flight, `batch ${request.batch} is sent again with other changes`);
    }
  }

  /** D55: what moves is not given up. */
  dropped(flight: Flight): void {
    this.violate('D55', flight, 'it is given up while its bytes are on their way');
  }

  async serving(flight: Flight): Promise<void> {
    await this.claims.serving(flight);
    if (flight.kind === 'auth' || flight.kind === 'pull') return;
    this.oracle.giveBack(await this.server.comingBack(restoredBy(flight)));
    // A push may be the last that its user may do here.
    if (flight.kind !== 'push') return;
    this.rolesBefore = await this.server.rolesOf(flight.from.userId);
    this.ownBefore = await this.server.membershipsOf(flight.from.userId);
    await this.reviews.serving(flight);
    this.stale = await this.staleAmong(flight.request as unknown as PushRequest);
    this.quiet = await quietDeletes(this.server, flight);
  }

  async served(flight: Flight, answer: Answer): Promise<void> {
    await this.claims.served(flight, answer);
    if (answer.status !== 200) return;
    if (flight.kind !== 'push' && flight.kind !== 'pull') return;
    const body = JSON.parse(answer.body) as PullAnswer & PushAnswer & { error?: unknown; void?: true };
    if (body.error) return;
    if (flight.kind === 'pull') {
      await this.checkVisible(flight, body);
      this.checkPage(flight, flight.request as unknown as PullRequest, body);
      return;
    }
    const request = flight.request as unknown as PushRequest;
    const batch = this.batches.get(request.device_id)?.get(request.batch);
    if (body.void) {
      if (batch?.answer) this.violate('P-ONCE', flight, `batch ${request.batch} is void, and was taken`);
      if (batch) batch.isVoid = true;
      return;
    }
    if (batch?.isVoid) this.violate('P-ONCE', flight, `batch ${request.batch} is taken, and was void`);
    await this.checkVisible(flight, body.effects);
    if (request.changes.some(({ table }) => table === 'deletions')) {
      for (const { id } of Object.values(body.effects.rows)) this.oracle.giveBack(id);
    }
    if (batch?.answer === null) {
      batch.answer = canonical(body);
      if (batch.isPurged) return;
      this.checkGroups(flight, request, body);
      this.checkSettlements(flight, request, body);
      this.checkRights(flight, request, body);
      this.checkExpected(flight, request, body);
      this.checkDeletes(flight, request, body);
      this.reviews.check(flight, request, body);
    } else if (batch && !isAlike(JSON.parse(batch.answer) as PushAnswer, body)) {
      this.violate('P-ONCE', flight, `batch ${request.batch} was answered in two ways`);
    }
  }

  heard(flight: Flight): void {
    if (flight.kind !== 'push') return;
    const { device_id, batch, settle } = flight.request as unknown as PushRequest & { settle?: true };
    const sent = this.batches.get(device_id)?.get(batch);
    const status = flight.answer?.status ?? 0;
    // The changes of a batch refused as a whole are sent in new batches.
    if (sent && (status === 400 || status === 413 || isWhole(flight.answer))) sent.isHeard = true;
    if (sent && settle && isWhole(flight.answer)) sent.made = madeBy(sent, flight.answer);
  }

  /** P-PRIVATE: rows of workspaces that the user is a member of, and the reference data. */
  private async checkVisible(flight: Flight, page: Pick<PullAnswer, 'rows' | 'deleted'>): Promise<void> {
    const scopes = new Set<string>();
    for (const columns of Object.values(page.rows)) {
      for (const scope of (columns.workspace_id ?? []) as string[]) scopes.add(scope);
    }
    if (scopes.size === 0) return;
    const visible = await this.server.visibleTo(flight.from.userId);
    for (const scope of scopes) {
      const was = flight.kind === 'push' && this.rolesBefore.has(scope);
      if (!visible.has(scope) && !was) this.violate('P-PRIVATE', flight, `a row of ${scope} is sent`);
    }
  }

  /** P-ONCE: what a device was told is made, it does not make again. */
  private checkRemade(flight: Flight, request: PushRequest, sent: readonly SentBatch[]): void {
    for (const { op, id } of request.changes) {
      if (op !== 'insert' || !sent.some(({ made }) => made.has(id))) continue;
      this.violate('P-ONCE', flight, `${id} is created again though the device was told that it is there`);
    }
  }

  /** P-GAPFREE: a page begins where the cursor stands, and holds nothing from before. */
  private checkPage(flight: Flight, request: PullRequest, answer: PullAnswer): void {
    const resets = new Set(answer.scopes.filter(({ reset }) => reset).map(({ id }) => id));
    for (const [table, columns] of Object.entries(answer.rows)) {
      const ids = columns.id;
      for (const [index, id] of ids.entries()) {
        const scope = columns.workspace_id?.[index] as string;
        const revision = columns.revision?.[index] as number;
        const cursor = request.cursors[scope];
        if (!cursor || resets.has(scope)) continue;
        if (request.wanted?.some((wanted) => wanted.table === table && wanted.id === id)) continue;
        // Requested once more after an upgrade (P14).
        if ((request.refill?.[scope]?.tables as string[] | undefined)?.includes(table)) continue;
        const isOld = cursor.after
          ? revision < cursor.revision || (revision === cursor.revision && id <= cursor.after)
          : revision <= cursor.revision;
        if (isOld) this.violate('P4', flight, `${id} at ${revision} is sent again`);
        if (request.skip[scope]?.includes(revision)) this.violate('P7', flight, `${id} is echoed`);
      }
    }
  }

  private async staleAmong({ changes = [] }: PushRequest): Promise<Set<number>> {
    const stale = new Set<number>();
    for (const [index, { table, id, expected, values = {} }] of changes.entries()) {
      if (!expected) continue;
      const [found] = await this.server.sql<{ row: Record<string, Json> }>(
        `select to_jsonb(t) as row from public.${table} t where t.id = $1::uuid`,
        [id],
      );
      const isOther = ([name, value]: [string, Json]) =>
        found?.row[name] !== value && !(name in values && found?.row[name] === values[name]);
      if (found && Object.entries(expected).some(isOther)) stale.add(index);
    }
    return stale;
  }

  /** U45: what expects something else than there is is not written. */
  private checkExpected(flight: Flight, request: PushRequest, { outcomes }: PushAnswer): void {
    for (const index of this.stale) {
      const { outcome } = outcomes[index] ?? {};
      if (outcome !== 'applied' && outcome !== 'merged') continue;
      this.violate('U45', flight, `${request.changes[index]?.id} is written though it was not as expected`);
    }
  }

  /** C7: claims are no news that a deletion could conflict with. */
  private checkDeletes(flight: Flight, request: PushRequest, { outcomes }: PushAnswer): void {
    for (const index of this.quiet) {
      if (outcomes[index]?.outcome !== 'conflict') continue;
      this.violate(
        'C7',
        flight,
        `the deletion of ${request.changes[index]?.id} conflicts, and there is no news`,
      );
    }
  }

  /** U12, U13: a group is applied or refused together, and no activity describes a change that was refused. */
  private checkGroups(flight: Flight, request: PushRequest, answer: PushAnswer): void {
    const all = request.changes.flatMap((change, index) => {
      const outcome = answer.outcomes[index];
      return outcome ? [{ change, outcome }] : [];
    });
    // It tells of nothing, and is among the effects as a tombstone (U30).
    const passedOver = new Set(answer.effects.deleted.activity_feed);
    const isPassedOver = (id: string) => passedOver.has(id);
    const groups = new Map<number, typeof all>();
    for (const one of all) groups.set(one.change.group, [...(groups.get(one.change.group) ?? []), one]);
    for (const members of groups.values()) {
      const isRefused = members.some(({ outcome }) => outcome.outcome === 'rejected');
      const isTaken = members.some(
        ({ outcome, change }) =>
          outcome.outcome === 'merged' ||
          (outcome.outcome === 'applied' && change.op === 'insert' && !isPassedOver(change.id)),
      );
      if (isRefused && isTaken) this.violate('U12', flight, 'a refused group is taken in part');
      for (const { change, outcome } of members) {
        if (change.table !== 'activity_feed' || outcome.outcome !== 'applied') continue;
        if (change.values?.activity_type !== 'stage_changed' || isPassedOver(change.id)) continue;
        // Activities from before a restored backup stay in the feed; the move itself is not made again.
        if (this.activities.has(change.id)) continue;
        this.activities.add(change.id);
        const told = all.find((other) => other.change.id === change.values?.task_id);
        if (told?.change.op !== 'update') continue;
        const lost = told.outcome.outcome === 'conflict' && 'current_stage' in told.outcome.columns;
        if (lost || ['rejected', 'blocked', 'gone'].includes(told.outcome.outcome)) {
          this.violate(
            'U13',
            flight,
            `an activity tells of a stage move of ${told.change.id} that was ${told.outcome.outcome}`,
          );
        }
      }
    }
  }

  /** U30: an activity tells of a settled conflict only where there was one, or with the edit that settles it. */
  private checkSettlements(flight: Flight, request: PushRequest, answer: PushAnswer): void {
    const met = (id: unknown) => `${flight.from.userId} ${id}`;
    for (const [index, change] of request.changes.entries()) {
      if (answer.outcomes[index]?.outcome === 'conflict') this.conflicts.add(met(change.id));
    }
    for (const [index, { table, op, group, values = {} }] of request.changes.entries()) {
      const isTaken = answer.outcomes[index]?.outcome === 'applied';
      if (table !== 'activity_feed' || op !== 'insert' || !isTaken) continue;
      if (values.activity_type !== 'conflict_settled') continue;
      const about = values.task_id ?? values.entity_id;
      const isMade = request.changes.some((other) => other.group === group && other.id === about);
      if (!isMade && !this.conflicts.has(met(about))) {
        this.violate('U30', flight, `a conflict of ${about} is told that nobody has met`);
      }
    }
  }

  /** P-PRIVATE: a user who may not write here writes nothing here. */
  private checkRights(flight: Flight, request: PushRequest, answer: PushAnswer): void {
    const founded = new Set(
      request.changes
        .filter(({ table, op }) => table === 'workspaces' && op === 'insert')
        .map(({ id }) => id),
    );
    for (const [index, change] of request.changes.entries()) {
      const told = answer.outcomes[index];
      // Only a forged settlement tells of nothing; what a device writes itself comes with its change.
      const isUntold =
        told?.outcome === 'rejected' &&
        told.code === 'reserved_activity' &&
        change.values?.activity_type !== 'conflict_settled' &&
        !isForgedReview(change);
      if (told?.outcome === 'rejected' && (isUntold || FAULTS_OF_THE_DEVICE.has(told.code))) {
        this.violate('U12', flight, `${change.op} of ${change.table} is ${told.code}: ${told.message}`);
      }
      const outcome = told?.outcome;
      if (outcome !== 'applied' && outcome !== 'merged') continue;
      if (change.table === 'workspace_members' && change.op === 'insert') {
        this.violate('P-PRIVATE', flight, `${change.values?.user_id} is made a member without being asked`);
      }
      if (change.op === 'delete' && this.ownBefore.has(change.id)) continue;
      const role = this.rolesBefore.get(change.workspace_id);
      if (founded.has(change.workspace_id) || (role !== undefined && role !== 'viewer')) continue;
      this.violate(
        'P-PRIVATE',
        flight,
        `${change.op} of ${change.table} by ${role ?? 'a stranger'} is taken`,
      );
    }
  }

  private violate(rule: string, flight: Flight, what: string): void {
    this.oracle.violate(rule, `${flight.from.name}, request ${flight.id}: ${what}`);
  }
}

/** @returns the deletions that a push restores. */
function restoredBy({ kind, request }: Flight): string[] {
  if (kind !== 'push') return [];
  const { changes = [] } = request as unknown as Partial<PushRequest>;
  return changes.flatMap(({ table, id }) => (table === 'deletions' ? [id] : []));
}

function madeBy({ changes }: SentBatch, answer: Answer | null): ReadonlySet<string> {
  const { outcomes = [] } = JSON.parse(answer?.body ?? '{}') as Partial<PushAnswer>;
  const all = JSON.parse(changes) as PushRequest['changes'];
  const made = all.filter(({ op }, index) => op === 'insert' && outcomes[index]?.outcome === 'applied');
  return new Set(made.map(({ id }) => id));
}

/** An answer that the device can read to its end. */
function isWhole(answer: Answer | null): boolean {
  if (answer?.status !== 200) return false;
  try {
    JSON.parse(answer.body);
    return true;
  } catch {
    return false;
  }
}

/**
 * The same outcomes and revisions; for a user who may no longer see all of it, the outcomes alone (U41). Effects are the
 * rows as they are each time.
 */
function isAlike(first: PushAnswer, again: PushAnswer): boolean {
  const isShort = Object.keys(again.revisions).length === 0;
  const said = ({ outcomes, revisions }: PushAnswer) => canonical(isShort ? outcomes : [outcomes, revisions]);
  return said(first) === said(again);
}

/** jsonb and json print alike, but for their blanks. */
function canonical(body: unknown): string {
  return JSON.stringify(body as Json);
}

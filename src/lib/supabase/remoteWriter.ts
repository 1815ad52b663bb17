/** Writes of the remote Context Service: small batches through `sync_push`, as a device of its own. */

import { v7 as uuidv7 } from 'uuid';
import { type AppError, ConvoyError, reactionTo, type SyncError } from '@/core/errors';
import {
  type Json,
  type Page,
  PROTOCOL_VERSION,
  type PushAnswer,
  type PushChange,
  type PushOutcome,
  type PushRequest,
  SCHEMA_VERSION,
  type SyncTransport,
} from '@/core/protocol';
import type { Result } from '@/core/result';
import { canonicalTime } from '@/core/text';
import { PAUSED_MESSAGE } from '@/domain/agents';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { staleError } from '@/domain/writes/expected';
import type { ConvoyClient } from './client';
import { signedOut } from './rpc';

/** One change of a write; the changes of one write are applied or refused together. */
export interface Change {
  table: SyncedTable;
  op: PushChange['op'];
  id: string;
  workspace_id: string;
  values?: Readonly<Record<string, Json>>;
  /** Values that columns of the record have to have (U45). */
  expected?: Readonly<Record<string, Json>>;
}

export interface WriterOptions {
  /** Wait before each further attempt, ms. The server does not apply a batch twice (U2). */
  retryDelaysMs?: readonly number[];
}

/** Steps that one write waits for. */
const MOST_STEPS = 500;

export class RemoteWriter {
  private deviceId = uuidv7();
  private batch = 0;
  private tail: Promise<unknown> = Promise.resolve();
  private readonly retryDelaysMs: readonly number[];

  constructor(
    private readonly client: ConvoyClient,
    private readonly transport: SyncTransport,
    options: WriterOptions = {},
  ) {
    this.retryDelaysMs = options.retryDelaysMs ?? [200, 800];
  }

  /**
   * Writes the changes as one group without a base, one write after the other.
   * @throws ConvoyError when the server refuses a change; then it has applied none of them.
   */
  write(changes: readonly Change[]): Promise<void> {
    const turn = this.tail.then(() => this.push(changes));
    this.tail = turn.catch(() => {});
    return turn;
  }

  private async push(changes: readonly Change[]): Promise<void> {
    const user_id = await this.userId();
    this.batch += 1;
    const request: PushRequest = {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id,
      device_id: this.deviceId,
      batch: this.batch,
      cursors: {},
      skip: {},
      changes: changes.map((change) => ({
        table: change.table,
        op: change.op,
        id: change.id,
        workspace_id: change.workspace_id,
        base: null,
        group: 0,
        ...(change.expected && { expected: change.expected }),
        ...(change.values && {
          values: change.op === 'insert' ? withoutNulls(change.values) : change.values,
        }),
      })),
    };
    const answer = await this.send(request);
    if (!answer.ok) throw new ConvoyError(answer.error);
    const refused = refusalAmong(answer.value, changes);
    if (refused) throw new ConvoyError(refused);
    const takesAlong = changes.some(({ op, table }) => op === 'delete' || table === 'deletions');
    if (takesAlong && answer.value.unfinished?.length) await this.takeSteps(user_id);
  }

  /** Takes the steps of a deletion or a restore of many records (U44). Where that fails, devices and the purge go on. */
  private async takeSteps(user_id: string): Promise<void> {
    const request = { protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, user_id };
    for (let taken = 0; taken < MOST_STEPS; taken += 1) {
      const answer = await this.transport.step(request, new AbortController().signal);
      if (!answer.ok || !answer.value.left) return;
    }
  }

  /** Resends the request, unchanged, when the answer was lost: the server replays it (U2). */
  private async send(request: PushRequest): Promise<Result<PushAnswer, SyncError>> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.transport.push(request, new AbortController().signal);
      if (answer.ok) return answer;
      const delay = this.retryDelaysMs[attempt];
      if (delay === undefined) return answer;
      const reaction = reactionTo(answer.error);
      if (reaction === 'new_device') {
        this.deviceId = uuidv7();
        this.batch = 1;
        Object.assign(request, { device_id: this.deviceId, batch: this.batch });
      } else if (reaction !== 'retry' && reaction !== 'wait') {
        return answer;
      }
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }

  /** Rejects with a `ConvoyError` (auth, `signed_out`). */
  async userId(): Promise<string> {
    const { data } = await this.client.auth.getSession();
    if (data.session) return data.session.user.id;
    throw new ConvoyError(signedOut());
  }
}

const DELETED_MEANWHILE = 'The record, or the one it belongs to, was deleted in the meantime. Read again.';

function withoutNulls(values: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** @returns the refusal of a group: that of the change that caused it, rather than of those blocked by it. */
function refusalAmong({ outcomes, effects }: PushAnswer, changes: readonly Change[]): AppError | null {
  let consequence: AppError | null = null;
  for (const [index, outcome] of outcomes.entries()) {
    const change = changes[index];
    const error = change ? refusalOf(outcome, change, effects) : null;
    if (error === null) continue;
    const follows =
      outcome.outcome === 'blocked' || (outcome.outcome === 'rejected' && outcome.code === 'group');
    if (!follows) return error;
    consequence ??= error;
  }
  return consequence;
}

function refusalOf(outcome: PushOutcome, { table, op, id }: Change, effects: Page): AppError | null {
  switch (outcome.outcome) {
    case 'applied':
    case 'merged':
      return null;
    case 'conflict': {
      if (outcome.stale) return staleError(table, outcome.stale, presentOf(effects, table, id));
      const columns = Object.keys(outcome.columns);
      const message =
        'Another write changed the same columns at the same time. Read the record again, then retry.';
      return { kind: 'conflict', code: 'conflict', columns, message };
    }
    case 'duplicate':
      return {
        kind: 'validation',
        code: 'duplicate',
        field: identityOf(table),
        message: 'An equal record exists already. Use that one.',
      };
    case 'gone': {
      const field = outcome.which === 'record' && op !== 'insert' ? 'id' : parentOf(table);
      return { kind: 'validation', code: 'not_found', field, message: DELETED_MEANWHILE };
    }
    case 'blocked':
      if (outcome.code === 'paused') {
        return { kind: 'rejected', code: 'paused', column: null, message: PAUSED_MESSAGE };
      }
      if (outcome.by === id) {
        const message = 'What it belongs to is being restored. Try again in a moment.';
        return { kind: 'conflict', code: 'conflict', columns: [], message };
      }
      return {
        kind: 'rejected',
        code: 'group',
        column: null,
        message: 'The server refused another change of the same write, so it applied none of them.',
      };
    case 'rejected':
      return rejection(outcome, table);
  }
}

/** @returns the record as the answer to a push has it, with times as entities have them. */
function presentOf({ rows }: Page, table: SyncedTable, id: string): Record<string, Json> {
  const columns: Record<string, Json[]> = rows[table] ?? {};
  const at = (columns.id ?? []).indexOf(id);
  const values = Object.entries(columnsOf(table)).map(([name, { kind }]) => {
    const value = columns[name]?.[at] ?? null;
    return [name, kind === 'time' ? canonicalTime(value) : value];
  });
  return Object.fromEntries(values);
}

/** Maps the codes of rules that plans check too, so that a broken rule has the same code wherever it is found. */
function rejection(
  { code, column, message }: Extract<PushOutcome, { outcome: 'rejected' }>,
  table: SyncedTable,
): AppError {
  switch (code) {
    case 'unknown_stage':
      return { kind: 'validation', code: 'unknown_stage', field: 'current_stage', message };
    case 'cycle': {
      const field = column ?? (table === 'tasks' ? 'parent_task_id' : 'depends_on_task_id');
      return { kind: 'validation', code: 'cycle', field, message };
    }
    case 'unique':
      return { kind: 'validation', code: 'duplicate', field: column ?? identityOf(table), message };
    case 'missing_parent':
      // The caller named the deletion, not the missing parent.
      if (table === 'deletions') return { kind: 'rejected', code, column, message };
      return { kind: 'validation', code: 'not_found', field: column ?? parentOf(table), message };
    default:
      return { kind: 'rejected', code, column, message };
  }
}

function identityOf(table: SyncedTable): string {
  return table === 'task_dependencies' ? 'depends_on_task_id' : 'id';
}

function parentOf(table: SyncedTable): string {
  switch (table) {
    case 'milestones':
      return 'project_id';
    case 'tasks':
      return 'milestone_id';
    case 'task_dependencies':
    case 'activity_feed':
      return 'task_id';
    default:
      return 'workspace_id';
  }
}

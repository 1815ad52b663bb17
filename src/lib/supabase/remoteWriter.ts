/** Writes of the remote Context Service: small batches through `sync_push`, as a device of its own. */

import { v7 as uuidv7 } from 'uuid';
import { type AppError, ConvoyError, reactionTo, type SyncError } from '@/core/errors';
import {
  type Json,
  PROTOCOL_VERSION,
  type PushAnswer,
  type PushChange,
  type PushOutcome,
  type PushRequest,
  SCHEMA_VERSION,
  type SyncTransport,
} from '@/core/protocol';
import type { Result } from '@/core/result';
import type { SyncedTable } from '@/domain/schema';
import type { ConvoyClient } from './client';
import { signedOut } from './rpc';

/** One change of a write; the changes of one write are taken or refused together. */
export interface Change {
  table: SyncedTable;
  op: PushChange['op'];
  id: string;
  workspace_id: string;
  values?: Readonly<Record<string, Json>>;
}

export interface WriterOptions {
  /** Milliseconds to wait before each further attempt. A batch that did arrive is not applied again. */
  retryDelaysMs?: readonly number[];
}

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
   * Writes the changes as one group, whatever is there (no base), one write after the other.
   * @throws ConvoyError when not all of it was taken; then none of it was.
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
        ...(change.values && {
          values: change.op === 'insert' ? withoutNulls(change.values) : change.values,
        }),
      })),
    };
    const answer = await this.send(request);
    if (!answer.ok) throw new ConvoyError(answer.error);
    const refused = refusalAmong(answer.value.outcomes, changes);
    if (refused) throw new ConvoyError(refused);
  }

  /** Sends the same request again when the answer was lost: the server replays it (U2). */
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

  private async userId(): Promise<string> {
    const { data } = await this.client.auth.getSession();
    if (data.session) return data.session.user.id;
    throw new ConvoyError(signedOut());
  }
}

function withoutNulls(values: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** What became of a write whose changes are one group: the change that sank it says why. */
function refusalAmong(outcomes: readonly PushOutcome[], changes: readonly Change[]): AppError | null {
  let consequence: AppError | null = null;
  for (const [index, outcome] of outcomes.entries()) {
    const change = changes[index];
    const error = change ? refusalOf(outcome, change) : null;
    if (error === null) continue;
    const follows =
      outcome.outcome === 'blocked' || (outcome.outcome === 'rejected' && outcome.code === 'group');
    if (!follows) return error;
    consequence ??= error;
  }
  return consequence;
}

function refusalOf(outcome: PushOutcome, { table, op }: Change): AppError | null {
  switch (outcome.outcome) {
    case 'applied':
    case 'merged':
      return null;
    case 'conflict': {
      const columns = Object.keys(outcome.columns);
      const message = 'Somebody else changed this at the same moment. Look at it again, then retry.';
      return { kind: 'conflict', code: 'conflict', columns, message };
    }
    case 'duplicate':
      return {
        kind: 'validation',
        code: 'duplicate',
        field: identityOf(table),
        message: 'This exists already.',
      };
    case 'gone': {
      const field = outcome.which === 'record' && op !== 'insert' ? 'id' : parentOf(table);
      return { kind: 'validation', code: 'not_found', field, message: 'It was deleted in the meantime.' };
    }
    case 'blocked':
      return {
        kind: 'rejected',
        code: 'group',
        column: null,
        message: 'The change it belongs to was refused.',
      };
    case 'rejected':
      return rejection(outcome, table);
  }
}

/** Rules that the local service knows beforehand have one code, whoever notices the breach. */
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
      // Here it is not the caller who named the parent.
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

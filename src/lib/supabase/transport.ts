/** The sync transport over Supabase RPC: `sync_pull`, `sync_push` and `sync_steps` of `supabase/migrations`. */

import type { AuthError, ProtocolError, SyncError } from '@/core/errors';
import type {
  Json,
  PullAnswer,
  PullRequest,
  PushAnswer,
  PushRequest,
  SettleRequest,
  StepAnswer,
  StepRequest,
  SyncTransport,
  Traffic,
  VoidAnswer,
} from '@/core/protocol';
import { fail, type Result } from '@/core/result';
import { readPullAnswer, readPushAnswer, readSettleAnswer, readStepAnswer } from './answers';
import { type ConvoyClient, endRefreshWait } from './client';
import { callRpc, notConvoy } from './rpc';

export interface TransportOptions {
  /** How long no byte of an answer may come, ms, after the time of the upload and then between its parts. Default: 30,000. */
  timeoutMs?: number;
  /** The slowest upload that is waited for, bytes/s. Default: 2,000. */
  slowestUpload?: number;
}

/** The sync engine's port to the server, on a Supabase client. */
export class SupabaseTransport implements SyncTransport {
  constructor(
    private readonly client: ConvoyClient,
    private readonly options: TransportOptions = {},
  ) {}

  pull(
    request: PullRequest,
    signal: AbortSignal,
  ): Promise<Result<PullAnswer & { traffic: Traffic }, SyncError>> {
    return this.call('sync_pull', request, readPullAnswer, signal);
  }

  push(
    request: PushRequest,
    signal: AbortSignal,
  ): Promise<Result<PushAnswer & { traffic: Traffic }, SyncError>> {
    return this.call('sync_push', request, (answer) => readPushAnswer(answer, request), signal);
  }

  settle(
    request: SettleRequest,
    changes: number,
    signal: AbortSignal,
  ): Promise<Result<(PushAnswer | VoidAnswer) & { traffic: Traffic }, SyncError>> {
    const read = (answer: unknown) => readSettleAnswer(answer, request, changes);
    return this.call('sync_push', request, read, signal);
  }

  step(
    request: StepRequest,
    signal: AbortSignal,
  ): Promise<Result<StepAnswer & { traffic: Traffic }, SyncError>> {
    return this.call('sync_steps', request, readStepAnswer, signal);
  }

  endWait(): void {
    endRefreshWait(this.client);
  }

  private async call<Answer extends { user_id: string }>(
    name: 'sync_pull' | 'sync_push' | 'sync_steps',
    request: PullRequest | PushRequest | StepRequest,
    read: (value: unknown) => Answer | null,
    signal: AbortSignal,
  ): Promise<Result<Answer & { traffic: Traffic }, SyncError>> {
    const called = await callRpc(
      this.client,
      name,
      // Requests are plain JSON, but interfaces have no index signature that would prove it.
      { request: request as unknown as Json },
      { timeoutMs: 30_000, ...this.options, signal },
    );
    if (!called.ok) return called;
    const { data, traffic } = called.value;
    const refused = refusalIn(data);
    if (refused) return fail(refused);
    const answer = read(data);
    if (!answer) return fail(isAnswer(data) ? malformed() : notConvoy());
    // Tabs share a session: another account may have signed in since the request was made (P2).
    if (answer.user_id !== request.user_id) return fail(wrongUser());
    return { ok: true, value: Object.assign(answer, { traffic }) };
  }
}

function malformed(): ProtocolError {
  const message = 'The answer of the server is not in the expected form.';
  return { kind: 'protocol', code: 'malformed', message };
}

function wrongUser(): AuthError {
  return { kind: 'auth', code: 'wrong_user', message: 'Another account is signed in now. Sign in again.' };
}

const AUTH_CODES: readonly string[] = ['expired', 'signed_out', 'wrong_user', 'forbidden'];
const PROTOCOL_CODES: readonly string[] = [
  'client_too_old',
  'schema_mismatch',
  'malformed',
  'device_conflict',
  'history_changed',
  'too_large',
];

/** @returns whether a value that cannot be read is an answer of Convoy's server, rather than JSON of something in between. */
function isAnswer(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'user_id' in data && 'server_time' in data;
}

/**
 * The functions answer expected failures as values: `{"error": {"code", "message"}}`.
 * @returns null where it is none that they give: portals and gateways answer in a like form
 */
function refusalIn(data: unknown): SyncError | null {
  if (typeof data !== 'object' || data === null || !('error' in data)) return null;
  const { error } = data;
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const text = typeof message === 'string' && message !== '' ? message : 'The server refused the request.';
  if (typeof code !== 'string') return null;
  if (code === 'wrong_user') return wrongUser();
  if (AUTH_CODES.includes(code)) return { kind: 'auth', code: code as AuthError['code'], message: text };
  if (PROTOCOL_CODES.includes(code)) {
    return { kind: 'protocol', code: code as ProtocolError['code'], message: text };
  }
  if (typeof message !== 'string') return null;
  return { kind: 'unexpected', code: 'unexpected', message: `${text} (${code})` };
}

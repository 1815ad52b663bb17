/** The server, by what it tells anybody and what it tells this user. Only functions that read are called. */

import { randomUUID } from 'node:crypto';
import { count } from '@/core/count';
import type { Backend } from '@/core/platform';
import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import { loginCommand } from '../errors';
import { type Check, doubtful, faulty, good } from './check';

/** ms for an answer. */
const ANSWER_MS = 10_000;
/** Seconds by which clocks may differ: tokens and the times of edits bear that. */
const MOST_OFFSET_S = 60;

/** Of each of the latest migrations a function that reads, with arguments that name nothing. */
const PROBES: readonly { migration: string; name: string; args: () => object }[] = [
  {
    migration: 'bounded_contexts',
    name: 'get_bounded_context',
    args: () => ({ task_id: randomUUID(), limits: {} }),
  },
  { migration: 'agents_and_keys', name: 'find_tasks', args: () => ({ task_id: randomUUID() }) },
  { migration: 'claims_and_ready', name: 'get_readiness', args: () => ({ task_id: randomUUID() }) },
  {
    migration: 'reviews_and_comments',
    name: 'get_task_entries',
    args: () => ({ task_id: randomUUID(), types: [] }),
  },
];
/** PostgREST's code for a function that it does not find. */
const NO_SUCH_FUNCTION = 'PGRST202';

export interface Caller {
  userId: string;
  /** An access token that has not run out. */
  token: string;
}

interface Answer {
  status: number;
  body: unknown;
  /** What the server's clock said, ms; null: nothing. */
  at: number | null;
}

/** @param caller null: the server is asked as nobody alone */
export async function checkServer(backend: Backend, caller: Caller | null): Promise<Check[]> {
  const started = Date.now();
  const health = await ask(backend, 'GET', 'auth/v1/health', backend.anonKey);
  if (health === null) {
    const message = `${backend.url} does not answer. Work goes on here, and waits to be sent.`;
    return [doubtful('server', message, 'Check the network, or start the local stack by: convoy start')];
  }
  if (health.status === 401 || health.status === 403) {
    return [
      faulty(
        'server',
        `${backend.url} does not take the key of this user’s backend.`,
        `Run ${loginCommand(backend.url)} again, with --key.`,
      ),
    ];
  }
  if (health.status >= 500) {
    return [faulty('server', `${backend.url} answers ${health.status}.`, 'Look into the log of the server.')];
  }
  return [
    good('server', `${backend.url} answers.`),
    checkClock(health.at, started),
    ...(await checkAsUser(backend, caller)),
    await checkStrangers(backend),
  ];
}

function checkClock(at: number | null, started: number): Check {
  const name = 'clock';
  if (at === null) return doubtful(name, 'The server does not tell its time.', 'Compare the clocks by hand.');
  const seconds = Math.round((at - (started + Date.now()) / 2) / 1_000);
  if (Math.abs(seconds) <= MOST_OFFSET_S) return good(name, 'It agrees with the server’s.');
  const side = seconds > 0 ? 'behind' : 'ahead of';
  const message = `It is ${count(Math.abs(seconds), 'second')} ${side} the server’s.`;
  return doubtful(name, message, 'Let the system set its clock by the network.');
}

async function checkAsUser(backend: Backend, caller: Caller | null): Promise<Check[]> {
  const name = 'protocol';
  if (caller === null) {
    const message = 'Not looked at: only a user who is signed in is told.';
    return [doubtful(name, message, `Run: ${loginCommand(backend.url)}, or convoy sync`)];
  }
  const foreign = randomUUID();
  const heads = await call(backend, caller.token, 'sync_heads', {
    request: {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id: caller.userId,
      scopes: [foreign],
    },
  });
  const refusal = protocolFault(heads, backend.url);
  if (refusal) return [refusal];
  const { heads: told = {} } = (heads?.body ?? {}) as { heads?: object };
  if (Object.keys(told).length > 0) return [strangerFault('policies')];
  const versions = `protocol ${PROTOCOL_VERSION} and schema ${SCHEMA_VERSION}`;
  return [good(name, `The server serves ${versions}.`), await checkMigrations(backend, caller.token)];
}

/** @returns what keeps this user from syncing; null: nothing */
function protocolFault(heads: Answer | null, url: string): Check | null {
  const name = 'protocol';
  if (heads === null) return doubtful(name, 'The server has stopped answering.', 'Run convoy doctor again.');
  const { error, user_id } = (heads.body ?? {}) as { error?: { code?: unknown }; user_id?: unknown };
  if (heads.status === 401) {
    return doubtful(name, 'The server does not take the token any more.', 'Run: convoy sync');
  }
  switch (error?.code) {
    case undefined:
      break;
    case 'client_too_old':
      return faulty(name, 'This convoy is too old for the server.', 'Update convoy.');
    case 'schema_mismatch':
      return faulty(
        name,
        'The server is older than this convoy.',
        'Have its migrations applied: npx supabase db push',
      );
    default:
      return faulty(
        name,
        `The server refuses this user: ${String(error?.code)}.`,
        `Run: ${loginCommand(url)}`,
      );
  }
  if (typeof user_id === 'string') return null;
  return faulty(
    name,
    `The server does not know Convoy’s functions (${heads.status}).`,
    'Have its migrations applied: npx supabase db push',
  );
}

async function checkMigrations(backend: Backend, token: string): Promise<Check> {
  const answers = await Promise.all(PROBES.map(({ name, args }) => call(backend, token, name, args())));
  const missing = PROBES.filter((_, index) => isMissing(answers[index] ?? null));
  if (missing.length === 0)
    return good('migrations', 'The server has the functions of the latest migrations.');
  const names = missing.map(({ migration }) => migration).join(', ');
  return faulty('migrations', `The server lacks: ${names}.`, 'Have them applied: npx supabase db push');
}

const isMissing = (answer: Answer | null) =>
  answer?.status === 404 && (answer.body as { code?: unknown } | null)?.code === NO_SUCH_FUNCTION;

/** Nobody may call a function or read a row without having signed in. */
async function checkStrangers(backend: Backend): Promise<Check> {
  const name = 'policies';
  const [heads, rows] = await Promise.all([
    call(backend, backend.anonKey, 'sync_heads', { request: {} }),
    ask(backend, 'GET', 'rest/v1/tasks?select=id&limit=1', backend.anonKey),
  ]);
  if (heads === null || rows === null) {
    return doubtful(name, 'The server has stopped answering.', 'Run convoy doctor again.');
  }
  const isOpen = heads.status === 200 || (Array.isArray(rows.body) && rows.body.length > 0);
  return isOpen ? strangerFault(name) : good(name, 'Who has not signed in is told nothing.');
}

function strangerFault(name: string): Check {
  return faulty(
    name,
    'The server tells strangers what members alone may see.',
    'Have the grants and policies of supabase/migrations applied, and look for changes made by hand.',
  );
}

function call(backend: Backend, bearer: string, name: string, args: object): Promise<Answer | null> {
  return ask(backend, 'POST', `rest/v1/rpc/${name}`, bearer, args);
}

/** @returns null where nothing answers in time */
async function ask(
  { url, anonKey }: Backend,
  method: 'GET' | 'POST',
  path: string,
  bearer: string,
  body?: object,
): Promise<Answer | null> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/${path}`, {
      method,
      headers: {
        apikey: anonKey,
        authorization: `Bearer ${bearer}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const said: unknown = await response.json().catch(() => null);
    const at = Date.parse(response.headers.get('date') ?? '');
    return { status: response.status, body: said, at: Number.isNaN(at) ? null : at };
  } catch {
    return null;
  }
}

/** `/auth/v1`: the part of Supabase Auth that Convoy uses. */

import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { fail, ok, type Result } from '@/core/result';
import { type Refusal, refuse } from './errors';
import { type AttemptLimit, createAttemptLimit } from './rateLimit';
import {
  checkNewPassword,
  type Fields,
  readCredentials,
  readFields,
  readMetadata,
  readNewCredentials,
  readText,
} from './requests';
import type { AuthService, Caller } from './service';
import type { Tokens } from './tokens';

type Environment = { Bindings: HttpBindings };
type AuthContext = Context<Environment>;

const MAX_BODY_BYTES = 64 * 1024;
const WINDOW_MS = 5 * 60_000;

export interface AuthRoutesParts {
  service: AuthService;
  tokens: Tokens;
  /** Monotonic ms: attempts are counted by it, so that a clock which is set back locks nobody out. */
  uptime?: (() => number) | undefined;
}

export function authRoutes({ service, tokens, uptime }: AuthRoutesParts): Hono<Environment> {
  const limits = createLimits(uptime ?? (() => performance.now()));
  const routes = new Hono<Environment>();
  routes.use(
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => refuse(c, { code: 'request_too_large' }) }),
  );
  routes.get('/health', (c) => c.json(HEALTH));
  routes.get('/settings', (c) => c.json(SETTINGS));
  routes.post('/signup', (c) => signUp(c, service, limits));
  routes.post('/token', (c) => issueToken(c, service, limits));
  routes.get('/user', (c) =>
    withCaller(c, tokens, async (caller) => reply(c, await service.getUser(caller))),
  );
  routes.put('/user', (c) => withCaller(c, tokens, (caller) => changeUser(c, service, caller)));
  routes.post('/logout', (c) => withCaller(c, tokens, (caller) => signOut(c, service, caller)));
  routes.all('*', (c) => refuse(c, { code: 'not_found' }));
  return routes;
}

const HEALTH = { version: 'convoy', name: 'GoTrue', description: 'Convoy local stack' };

const SETTINGS = {
  external: { email: true, phone: false, anonymous_users: false },
  disable_signup: false,
  mailer_autoconfirm: true,
  phone_autoconfirm: false,
  sms_provider: '',
  saml_enabled: false,
};

interface Limits {
  perAccount: AttemptLimit;
  perAddress: AttemptLimit;
  signUps: AttemptLimit;
}

function createLimits(uptime: () => number): Limits {
  return {
    perAccount: createAttemptLimit(10, WINDOW_MS, uptime),
    perAddress: createAttemptLimit(100, WINDOW_MS, uptime),
    signUps: createAttemptLimit(100, WINDOW_MS, uptime),
  };
}

async function signUp(c: AuthContext, service: AuthService, { signUps }: Limits): Promise<Response> {
  const fields = readFields(await c.req.text());
  if (!fields.ok) return refuse(c, fields.error);
  const { email, phone } = fields.value;
  if (!email && !phone) return refuse(c, { code: 'anonymous_provider_disabled' });
  const credentials = readNewCredentials(fields.value);
  if (!credentials.ok) return refuse(c, credentials.error);
  const metadata = readMetadata(fields.value.data);
  if (!metadata.ok) return refuse(c, metadata.error);
  const address = addressOf(c);
  const waitMs = signUps.waitMs(address);
  if (waitMs > 0) return refuse(c, tooMany(waitMs));
  // Counted before the attempt, so that concurrent attempts are limited too.
  signUps.count(address);
  return reply(c, await service.signUp(credentials.value, metadata.value, issuerOf(c)));
}

async function issueToken(c: AuthContext, service: AuthService, limits: Limits): Promise<Response> {
  const grant = c.req.query('grant_type');
  if (grant !== 'password' && grant !== 'refresh_token') {
    return refuse(c, { code: 'invalid_credentials', message: 'unsupported_grant_type' });
  }
  const fields = readFields(await c.req.text());
  if (!fields.ok) return refuse(c, fields.error);
  if (grant === 'password') return signIn(c, fields.value, service, limits);
  const token = readText(fields.value, 'refresh_token');
  if (!token.ok) return refuse(c, token.error);
  if (token.value === '') return refuse(c, { code: 'invalid_request' });
  return reply(c, await service.refresh(token.value, issuerOf(c)));
}

async function signIn(
  c: AuthContext,
  fields: Fields,
  service: AuthService,
  { perAccount, perAddress }: Limits,
): Promise<Response> {
  const credentials = readCredentials(fields);
  if (!credentials.ok) return refuse(c, credentials.error);
  const address = addressOf(c);
  const account = `${address} ${credentials.value.email}`;
  const waitMs = Math.max(perAccount.waitMs(account), perAddress.waitMs(address));
  if (waitMs > 0) return refuse(c, tooMany(waitMs));
  // Counted before the attempt, so that concurrent attempts are limited too.
  const uncount = [perAccount.count(account), perAddress.count(address)];
  const signedIn = await service.signIn(credentials.value, issuerOf(c));
  if (signedIn.ok || signedIn.error.code !== 'invalid_credentials') for (const undo of uncount) undo();
  if (signedIn.ok) perAccount.forget(account);
  return reply(c, signedIn);
}

async function changeUser(c: AuthContext, service: AuthService, caller: Caller): Promise<Response> {
  const fields = readFields(await c.req.text());
  if (!fields.ok) return refuse(c, fields.error);
  const { password, data, email } = fields.value;
  if (email !== undefined) {
    return refuse(c, { code: 'validation_failed', message: 'The local stack cannot change an email' });
  }
  const fault = password === undefined ? null : checkNewPassword(password);
  if (fault) return refuse(c, fault);
  const metadata = readMetadata(data);
  if (!metadata.ok) return refuse(c, metadata.error);
  const changes = { metadata: metadata.value, password: typeof password === 'string' ? password : null };
  return reply(c, await service.changeUser(caller, changes));
}

async function signOut(c: AuthContext, service: AuthService, caller: Caller): Promise<Response> {
  const scope = c.req.query('scope') || 'global';
  if (scope !== 'global' && scope !== 'local' && scope !== 'others') {
    const known = await service.getUser(caller);
    const unsupported: Refusal = {
      code: 'validation_failed',
      message: `Unsupported logout scope "${scope}"`,
    };
    return refuse(c, known.ok ? unsupported : known.error);
  }
  const done = await service.signOut(caller, scope);
  return done.ok ? c.body(null, 204) : refuse(c, done.error);
}

/** Handles a request whose access token is valid, and refuses any other. */
async function withCaller(
  c: AuthContext,
  tokens: Tokens,
  handle: (caller: Caller) => Promise<Response>,
): Promise<Response> {
  const caller = await callerOf(c, tokens);
  return caller.ok ? handle(caller.value) : refuse(c, caller.error);
}

function reply<T extends object>(c: Context, answer: Result<T, Refusal>): Response {
  return answer.ok ? c.json(answer.value) : refuse(c, answer.error);
}

function addressOf(c: AuthContext): string {
  return c.env.incoming.socket.remoteAddress ?? '';
}

function tooMany(waitMs: number): Refusal {
  return { code: 'over_request_rate_limit', retryAfter: Math.ceil(waitMs / 1000) };
}

function issuerOf(c: Context): string {
  return `${new URL(c.req.url).origin}/auth/v1`;
}

const UNVERIFIED = 'invalid JWT: unable to parse or verify signature';

async function callerOf(c: Context, tokens: Tokens): Promise<Result<Caller, Refusal>> {
  const token = /^Bearer (.+)$/i.exec(c.req.header('Authorization') ?? '')?.[1];
  if (token === undefined) return fail({ code: 'no_authorization' });
  const claims = await tokens.verify(token);
  if (!claims.ok) return fail({ code: 'bad_jwt', message: `${UNVERIFIED}, ${claims.error.message}` });
  const { sub, session_id } = claims.value;
  if (sub === undefined || session_id === undefined) {
    return fail({ code: 'bad_jwt', message: 'invalid claim: missing sub claim' });
  }
  return ok({ userId: sub, sessionId: session_id });
}

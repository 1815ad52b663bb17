import { describe, expect, it } from 'vitest';
import { createConvoyClient } from '@/lib/supabase/client';
import { callRpc } from '@/lib/supabase/rpc';
import { inMemory } from '@/lib/supabase/session/deviceTime';

const json = (value: unknown, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });

const session = (token: string) =>
  json({
    access_token: token,
    refresh_token: `refresh ${token}`,
    token_type: 'bearer',
    expires_in: 3600,
    user: { id: '01900000-0000-7000-8000-000000000001', email: 'a@b.example' },
  });

/** A server that takes the newest token alone, and a storage that can be full. */
function start() {
  const values = inMemory();
  const state = { newest: 1, isFull: false };
  const storage = {
    ...values,
    setItem: async (name: string, text: string) => {
      if (state.isFull) throw new Error('ENOSPC: no space left on device, write');
      await values.setItem(name, text);
    },
    removeItem: async (name: string) => {
      if (state.isFull) throw new Error('ENOSPC: no space left on device, write');
      await values.removeItem(name);
    },
  };
  const newClient = () =>
    createConvoyClient('http://stack.test', 'key', {
      storage,
      storageKey: 'convoy',
      autoRefreshToken: false,
      fetch: async (input, init) => {
        const url = String(input);
        if (url.includes('grant_type=refresh_token')) state.newest += 1;
        if (url.includes('/auth/v1/token')) return session(`token ${state.newest}`);
        const isNewest = new Headers(init?.headers).get('authorization') === `Bearer token ${state.newest}`;
        return isNewest ? json({ fine: true }) : json({ code: 'PGRST301', message: 'JWT expired' }, 401);
      },
    });
  return { state, newClient, values };
}

type Client = ReturnType<ReturnType<typeof start>['newClient']>;

const signIn = (client: Client) => client.auth.signInWithPassword({ email: 'a@b.example', password: 'x' });
const pull = (client: Client) => callRpc(client, 'sync_pull', { request: {} }, { timeoutMs: 5_000 });
const FINE = { ok: true, value: { data: { fine: true } } };

describe('a storage that refuses the new token of a session', () => {
  it('loses neither the call nor the token, which is stored when there is room again (K20)', async () => {
    const { state, newClient } = start();
    const client = newClient();
    await signIn(client);
    state.isFull = true;
    state.newest = 2;
    expect(await pull(client)).toMatchObject(FINE);
    expect(await pull(client)).toMatchObject(FINE);
    expect(state.newest, 'no further refresh').toBe(3);
    state.isFull = false;
    expect(await pull(client)).toMatchObject(FINE);
    expect(await pull(newClient()), 'after a restart').toMatchObject(FINE);
    expect(state.newest, 'the stored token is the newest').toBe(3);
  });

  it('does not keep the session when its user signs out, and removes it when there is room again (D24, K20)', async () => {
    const { state, newClient, values } = start();
    const client = newClient();
    await signIn(client);
    const events: string[] = [];
    client.auth.onAuthStateChange((event) => void events.push(event));
    state.isFull = true;
    expect(await client.auth.signOut({ scope: 'local' })).toEqual({ error: null });
    expect(events.at(-1)).toBe('SIGNED_OUT');
    const stored = async () => (await client.auth.getSession()).data.session;
    expect(await stored()).toBeNull();
    expect(values.getItem('convoy')).not.toBeNull();
    state.isFull = false;
    expect(await stored()).toBeNull();
    expect(values.getItem('convoy'), 'with the next read').toBeNull();
  });

  it('does not have an older token written over the newer one of another client (K20)', async () => {
    const { state, newClient } = start();
    const [client, other] = [newClient(), newClient()];
    await signIn(client);
    state.isFull = true;
    state.newest = 2;
    expect(await pull(client)).toMatchObject(FINE);
    state.isFull = false;
    state.newest = 4;
    await signIn(other);
    expect(await pull(client)).toMatchObject(FINE);
    expect(await pull(newClient())).toMatchObject(FINE);
    expect(state.newest).toBe(4);
  });
});

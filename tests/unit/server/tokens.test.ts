import { describe, expect, it } from 'vitest';
import { ACCESS_TOKEN_SECONDS, createTokens } from '@/server/auth/tokens';

const USER = { id: 'u', email: 'u@convoy.example', app_metadata: {}, user_metadata: {} };

describe('tokens', () => {
  it('expire on time, also where they were checked before', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const tokens = createTokens('a secret of the stack', () => now);
    const token = await tokens.signAccessToken(USER, 'session', 'issuer');
    expect(await tokens.verify(token)).toMatchObject({
      ok: true,
      value: { sub: 'u', role: 'authenticated' },
    });
    now += ACCESS_TOKEN_SECONDS * 1000 - 1;
    expect(await tokens.verify(token)).toMatchObject({ ok: true, value: { sub: 'u' } });
    now += 1;
    expect(await tokens.verify(token)).toMatchObject({ ok: false, error: { reason: 'expired' } });
  });

  it('of another stack are refused, whatever was checked before', async () => {
    const [one, other] = ['one secret', 'another'].map((secret) => createTokens(secret, Date.now));
    const token = await one?.signAccessToken(USER, 'session', 'issuer');
    expect(await one?.verify(token ?? '')).toMatchObject({ ok: true });
    expect(await other?.verify(token ?? '')).toMatchObject({ ok: false, error: { reason: 'invalid' } });
  });
});

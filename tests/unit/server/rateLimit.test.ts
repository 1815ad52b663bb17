import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { authRoutes } from '@/server/auth/routes';

const WINDOW_MS = 5 * 60_000;

describe('the limit of attempts', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('is over after its window, also where the clock of the server is set back a day meanwhile', async () => {
    const service = { signIn: async () => ({ ok: false, error: { code: 'invalid_credentials' } }) };
    const routes = authRoutes({ service: service as never, tokens: {} as never });
    const request = { method: 'POST', body: JSON.stringify({ email: 'ada@example.com', password: 'guess' }) };
    const from = { incoming: { socket: { remoteAddress: '192.0.2.1' } } };
    const attempt = async () => (await routes.request('/token?grant_type=password', request, from)).status;
    for (let i = 0; i < 10; i++) expect(await attempt()).toBe(400);
    expect(await attempt()).toBe(429);
    vi.setSystemTime(Date.now() - 24 * 3_600_000);
    vi.advanceTimersByTime(WINDOW_MS);
    expect(await attempt()).toBe(400);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { chooseProfile, keepProfile } from '@/machine/profiles';
import { sessionFile } from '@/platform/node/sessionFile';

const URL_OF_STACK = 'http://127.0.0.1:8787';
let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'convoy-profiles-'));
  vi.stubEnv('CONVOY_DATA_DIR', data);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(data, { recursive: true, force: true });
});

async function signedIn(n: number, displayName: string, kind: 'human' | 'agent' = 'human') {
  const email = `user${n}@convoy.example`;
  const { folder } = await keepProfile({
    name: kind === 'agent' ? displayName : email,
    email,
    kind,
    userId: `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    url: URL_OF_STACK,
    anonKey: 'key',
  });
  const session = { access_token: 'x', user: { user_metadata: { display_name: displayName } } };
  await sessionFile(folder, 'session.json').setItem(SESSION_KEY, JSON.stringify(session));
  return email;
}

const chosen = async (as: string, url?: string) => {
  const found = await chooseProfile({ as, ...(url && { url }) }, {});
  return found.ok ? found.value.email : found.error;
};

describe('the user that --as names', () => {
  it('goes by the display name that others see, as by the e-mail address', async () => {
    const [owner, editor] = [await signedIn(1, 'Owner'), await signedIn(2, 'Ada Lovelace')];
    expect(await chosen('Owner')).toBe(owner);
    expect(await chosen(' ada lovelace ')).toBe(editor);
    expect(await chosen(editor.toUpperCase())).toBe(editor);
    expect(await chosen('Nobody')).toMatchObject({ code: 'not_signed_in' });
    expect(await chosen('')).toBe(owner);
  });

  it('has to be named otherwise where several are called so, and the refusal lists them', async () => {
    const emails = [await signedIn(1, 'Ada'), await signedIn(2, 'Ada')];
    const refused = await chosen('Ada');
    expect(refused).toMatchObject({ code: 'ambiguous' });
    for (const email of emails) expect(refused).toMatchObject({ message: expect.stringContaining(email) });
  });

  it('is the account of that name, before a person who is only called so', async () => {
    await signedIn(1, 'Helper');
    const agent = await signedIn(2, 'Helper', 'agent');
    expect(await chosen('helper')).toBe(agent);
  });

  it('is looked for at an address, which has to be one', async () => {
    const owner = await signedIn(1, 'Owner');
    expect(await chosen('Owner', URL_OF_STACK)).toBe(owner);
    expect(await chosen('Owner', 'https://elsewhere.example')).toMatchObject({ code: 'not_signed_in' });
    expect(await chosen('Owner', 'nonsense')).toMatchObject({ code: 'usage' });
  });
});

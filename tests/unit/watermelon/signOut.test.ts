import { describe, expect, it } from 'vitest';
import { endSession, SESSION_KEY, type WatermelonPlatform } from '@/lib/watermelon/device/compose';
import { signOutDevice } from '@/lib/watermelon/device/signOut';

describe('signing out where the storage does not let go of the session', () => {
  it('ends all the same, and tells by a typed error that the session is still stored (D24)', async () => {
    const asked: string[] = [];
    const platform = {
      sessionStorage: () => ({
        removeItem: async (key: string) => {
          asked.push(key);
          throw new Error('EROFS: read-only file system');
        },
      }),
    } as unknown as WatermelonPlatform;
    const done: string[] = [];
    const left = await signOutDevice(
      {
        device: null as never,
        close: async () => void done.push('closed'),
        endSession: () => endSession(platform, null),
        removeDatabase: async () => void done.push('removed'),
      },
      { unsynced: 'discard' },
    );
    expect(left).toMatchObject({ status: 'signed_out', trouble: { kind: 'storage', code: 'session_kept' } });
    expect([asked, done]).toEqual([[SESSION_KEY], ['closed', 'removed']]);
  });
});

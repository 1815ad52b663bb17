import { useCallback, useEffect, useRef, useState } from 'react';
import type { ConvoyClient } from '@/lib/supabase/client';
import {
  closeDatabase,
  type Device,
  initDatabase,
  type LocalWork,
  type SignOutOptions,
  type SignOutResult,
} from '@/lib/watermelon';
import { platform } from '../platform';
import { announceAccountChange, latestAccountChange, onAccountChangeElsewhere } from './accountChanges';
import {
  loadDefaults,
  openClient,
  rememberWithoutAccount,
  storedUser,
  type User,
  worksWithoutAccount,
} from './session';

/** What the page as a whole is doing. Without an account there is no user, and may be no client. */
export type Phase =
  | { name: 'starting' }
  | { name: 'unreachable'; error: unknown }
  | { name: 'signed_out'; client: ConvoyClient }
  | { name: 'opening'; client: ConvoyClient | null; user: User | null }
  | { name: 'failed'; client: ConvoyClient | null; user: User | null; error: unknown }
  | {
      name: 'open';
      client: ConvoyClient | null;
      user: User | null;
      device: Device;
      sessionEnded: boolean;
      /** Signed in just now, not found signed in. */
      isArrival: boolean;
    };

export interface Session {
  phase: Phase;
  /** Starts again from the beginning, or opens the database again. */
  retry: () => void;
  enter: (client: ConvoyClient, user: User) => void;
  /** Opens the database of this device, for work without an account. */
  startWithoutAccount: () => Promise<void>;
  /** Leaves the account as the options say; nothing is done while something is unsynced and they say nothing. */
  leave: (options: SignOutOptions) => Promise<SignOutResult>;
  /** To the sign-in page, from work without an account or an account that cannot be opened. */
  goToSignIn: () => Promise<void>;
}

/** From no client to an open device, one device for each signed-in user. */
export function useSession(): Session {
  const [phase, setPhase] = useState<Phase>({ name: 'starting' });
  // Leaving signs out on purpose; only a session that ends by itself is worth telling.
  const leaving = useRef(false);
  const step = useRef<string | null>(null);

  const open = useCallback(async (client: ConvoyClient | null, user: User | null, isArrival = false) => {
    setPhase({ name: 'opening', client, user });
    try {
      const { openUserDevice } = await loadDefaults();
      const device = await initDatabase({ open: () => openUserDevice(platform, client, user?.id ?? null) });
      setPhase({ name: 'open', client, user, device, sessionEnded: false, isArrival });
    } catch (error) {
      setPhase({ name: 'failed', client, user, error });
    }
  }, []);

  const start = useCallback(async () => {
    setPhase({ name: 'starting' });
    step.current = latestAccountChange();
    try {
      const user = await storedUser();
      if (user === null && (await worksWithoutAccount())) return await open(null, null);
      const client = await openClient();
      if (user) await open(client, user);
      else setPhase({ name: 'signed_out', client });
    } catch (error) {
      setPhase({ name: 'unreachable', error });
    }
  }, [open]);

  const started = useRef(false);
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    void start();
  }, [start]);

  useEffect(
    () =>
      onAccountChangeElsewhere(() => {
        if (leaving.current || step.current === latestAccountChange()) return;
        // Nothing of the account that was left stays on the screen, or open.
        step.current = latestAccountChange();
        setPhase({ name: 'starting' });
        void close().then(start);
      }),
    [start],
  );

  const client = 'client' in phase ? phase.client : null;
  useEffect(() => {
    const listening = client?.auth.onAuthStateChange((event) => {
      if (event !== 'SIGNED_OUT' || leaving.current) return;
      setPhase((now) => (now.name === 'open' ? { ...now, sessionEnded: true } : now));
    });
    return () => listening?.data.subscription.unsubscribe();
  }, [client]);

  return {
    phase,
    retry: () => {
      if (phase.name === 'failed') void open(phase.client, phase.user);
      else void start();
    },
    enter: (entered, user) => {
      step.current = announceAccountChange(user.id);
      void open(entered, user, true);
    },
    startWithoutAccount: async () => {
      await rememberWithoutAccount(true);
      step.current = announceAccountChange(null);
      await open(null, null);
    },
    leave: async (options) => {
      if (phase.name !== 'open') return { status: 'signed_out' };
      const { signOutOf } = await loadDefaults();
      leaving.current = true;
      try {
        const onSessionEnded = () => {
          step.current = announceAccountChange(null);
        };
        const left = await signOutOf(
          { platform, client: phase.client, device: phase.device, close, onSessionEnded },
          options,
        );
        if (left.status === 'signed_out' && phase.client) {
          setPhase({ name: 'signed_out', client: phase.client });
        }
        return left;
      } finally {
        leaving.current = false;
      }
    },
    goToSignIn: async () => {
      leaving.current = true;
      await close();
      await rememberWithoutAccount(false);
      if ('client' in phase && phase.client) await forget(phase.client);
      step.current = announceAccountChange(null);
      leaving.current = false;
      await start();
    },
  };
}

const close = () => closeDatabase().catch(() => undefined);

async function forget(client: ConvoyClient): Promise<void> {
  const { endSession } = await loadDefaults();
  await endSession(platform, client);
}

/** What was begun here without an account, once it is known; only somebody who is signed in may have it. */
export function useLocalWork(device: Device) {
  const [work, setWork] = useState<LocalWork | null>(null);
  useEffect(() => {
    if (!device.hasAccount) return;
    let isShown = true;
    void loadDefaults()
      .then(({ findLocalWork }) => findLocalWork(platform, device))
      .then((found) => isShown && setWork(found));
    return () => {
      isShown = false;
    };
  }, [device]);
  const take = useCallback(async () => {
    const { takeLocalWorkInto } = await loadDefaults();
    await takeLocalWorkInto(platform, device);
    setWork(null);
  }, [device]);
  return { work, take };
}

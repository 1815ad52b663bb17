import { useCallback, useEffect, useRef, useState } from 'react';
import { ConvoyError } from '@/core/errors';
import type { ConvoyClient } from '@/lib/supabase/client';
import {
  closeDatabase,
  type Device,
  initDatabase,
  type LocalWork,
  type SignOutOptions,
  type SignOutResult,
} from '@/lib/watermelon';
import { forgetReferences } from '../hooks/taskReferences';
import { platform } from '../platform';
import { drafts } from '../shared/drafts';
import { announceAccountChange, latestAccountChange, onAccountChangeElsewhere } from './accountChanges';
import {
  loadDataLayer,
  openClient,
  rememberWithoutAccount,
  storedUser,
  type User,
  worksWithoutAccount,
} from './session';

/** The state of the page as a whole. Without an account there is no user, and perhaps no client. */
export type Phase =
  | { name: 'starting' }
  | { name: 'unreachable'; error: unknown }
  /** `trouble`: of signing out. */
  | { name: 'signed_out'; client: ConvoyClient; trouble?: unknown }
  | { name: 'opening'; client: ConvoyClient | null; user: User | null }
  | { name: 'failed'; client: ConvoyClient | null; user: User | null; error: unknown }
  | {
      name: 'open';
      client: ConvoyClient | null;
      user: User | null;
      device: Device;
      sessionEnded: boolean;
      /** The user has just signed in; false for a stored session. */
      isArrival: boolean;
    };

export interface Session {
  phase: Phase;
  /** Whether what is done here outlives this window; known before anything can be typed. */
  isDurable: boolean;
  /** Tries again to start, or to open the database. */
  retry: () => void;
  enter: (client: ConvoyClient, user: User) => void;
  /** Opens the database of this device, for work without an account. */
  startWithoutAccount: () => Promise<void>;
  /** Signs out as the options say. Without a choice nothing is done while something is unsynced. */
  leave: (options: SignOutOptions) => Promise<SignOutResult>;
  /** Goes to the sign-in page, from work without an account or from an account that cannot be opened. */
  goToSignIn: () => Promise<void>;
}

/** Starts the page: connects a client, restores the session and opens the user's device. */
export function useSession(): Session {
  const [phase, setPhase] = useState<Phase>({ name: 'starting' });
  const [isDurable, setDurable] = useState(true);
  // While the user signs out, SIGNED_OUT events are expected; any other one means that the session has ended.
  const leaving = useRef(false);
  const step = useRef<string | null>(null);

  const open = useCallback(async (client: ConvoyClient | null, user: User | null, isArrival = false) => {
    forgetReferences();
    setPhase({ name: 'opening', client, user });
    try {
      const { openUserDevice } = await loadDataLayer();
      const device = await initDatabase({ open: () => openUserDevice(platform, client, user?.id ?? null) });
      setPhase({ name: 'open', client, user, device, sessionEnded: false, isArrival });
    } catch (error) {
      setPhase({ name: 'failed', client, user, error });
    }
  }, []);

  const start = useCallback(async () => {
    setPhase({ name: 'starting' });
    step.current = latestAccountChange();
    setDurable((await platform.isDurable?.()) ?? true);
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
        // Another tab has left the account: its data leaves the screen, and its database is closed.
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
    isDurable,
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
      const { signOutOf } = await loadDataLayer();
      const { userId } = phase.device;
      leaving.current = true;
      try {
        const onSessionEnded = () => {
          step.current = announceAccountChange(null);
        };
        const left = await signOutOf(
          { platform, client: phase.client, device: phase.device, close, onSessionEnded },
          options,
        );
        if (left.status === 'signed_out' && options.unsynced === 'discard') drafts.forget(userId);
        if (left.status === 'signed_out' && phase.client) {
          const trouble = left.trouble && new ConvoyError(left.trouble);
          setPhase({ name: 'signed_out', client: phase.client, trouble });
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
  const { endSession } = await loadDataLayer();
  await endSession(platform, client);
}

/** Work begun on this device without an account, once it is known; null without a signed-in user. */
export function useLocalWork(device: Device) {
  const [work, setWork] = useState<LocalWork | null>(null);
  useEffect(() => {
    if (!device.hasAccount) return;
    let isShown = true;
    void loadDataLayer()
      .then(({ findLocalWork }) => findLocalWork(platform, device))
      .then((found) => isShown && setWork(found));
    return () => {
      isShown = false;
    };
  }, [device]);
  const take = useCallback(async () => {
    const { takeLocalWorkInto } = await loadDataLayer();
    await takeLocalWorkInto(platform, device);
    setWork(null);
  }, [device]);
  return { work, take };
}

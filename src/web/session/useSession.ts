import { useCallback, useEffect, useRef, useState } from 'react';
import type { ConvoyClient } from '@/lib/supabase/client';
import { closeDatabase, type Device, initDatabase } from '@/lib/watermelon';
import { loadDefaults, openClient, platform, signOut, storedUser, type User } from './session';

/** What the page as a whole is doing. */
export type Phase =
  | { name: 'starting' }
  | { name: 'unreachable'; error: unknown }
  | { name: 'signed_out'; client: ConvoyClient }
  | { name: 'opening'; client: ConvoyClient; user: User }
  | { name: 'failed'; client: ConvoyClient; user: User; error: unknown }
  | { name: 'open'; client: ConvoyClient; user: User; device: Device; sessionEnded: boolean };

export interface Session {
  phase: Phase;
  /** Starts again from the beginning, or opens the database again. */
  retry: () => void;
  enter: (client: ConvoyClient, user: User) => void;
  /** Leaves the account. What is unsynced stays on this device for the next sign-in. */
  leave: () => Promise<void>;
}

/** From no client to an open device, one device for each signed-in user. */
export function useSession(): Session {
  const [phase, setPhase] = useState<Phase>({ name: 'starting' });
  // Leaving signs out on purpose; only a session that ends by itself is worth telling.
  const leaving = useRef(false);

  const open = useCallback(async (client: ConvoyClient, user: User) => {
    setPhase({ name: 'opening', client, user });
    try {
      const { openUserDevice } = await loadDefaults();
      const device = await initDatabase({ open: () => openUserDevice(platform, client, user.id) });
      setPhase({ name: 'open', client, user, device, sessionEnded: false });
    } catch (error) {
      setPhase({ name: 'failed', client, user, error });
    }
  }, []);

  const start = useCallback(async () => {
    setPhase({ name: 'starting' });
    try {
      const client = await openClient();
      const user = await storedUser();
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
    enter: (entered, user) => void open(entered, user),
    leave: async () => {
      if (!('client' in phase)) return;
      leaving.current = true;
      await signOut(phase.client);
      await closeDatabase().catch(() => undefined);
      setPhase({ name: 'signed_out', client: phase.client });
      leaving.current = false;
    },
  };
}

import { useCallback, useEffect, useRef, useState } from 'react';
import { type AppError, ConvoyError } from '@/core/errors';
import type { Result } from '@/core/result';
import { platform } from '../platform';
import { useSyncStatus } from './useSyncStatus';

/** Data that is on the server alone, as far as it is known. */
export interface ServerData<T> {
  /** The latest answer; null: none yet. It stays when a later request fails. */
  value: T | null;
  isLoading: boolean;
  /** A request is on its way. */
  isAsking: boolean;
  /** The server could not be reached. */
  isOffline: boolean;
  /** Why the server gave no answer, other than that it could not be reached. */
  error: ConvoyError | null;
  reload: () => void;
}

type Answer<T> = { key: string; turn: number; value: T | null; error: ConvoyError | null };

/**
 * Asks the server for data that the local database does not have: now, when the connection comes or goes, when the page
 * becomes visible, and on `reload`.
 * @param key names the question; the answer to another one is dropped
 * @param ask null: nothing is asked
 */
export function useServerData<T>(
  key: string,
  ask: (() => Promise<Result<T, AppError>>) | null,
): ServerData<T> {
  const isUnreachable = useSyncStatus().kind === 'offline';
  const [answer, setAnswer] = useState<Answer<T> | null>(null);
  const [turn, setTurn] = useState(0);
  const latestAsk = useRef(ask);
  latestAsk.current = ask;
  const reload = useCallback(() => setTurn((before) => before + 1), []);

  useEffect(() => platform.onVisible?.(reload), [reload]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when the connection changes, and by turn
  useEffect(() => {
    let isLatest = true;
    void latestAsk.current?.().then((answered) => {
      if (!isLatest) return;
      setAnswer((before) =>
        answered.ok
          ? { key, turn, value: answered.value, error: null }
          : {
              key,
              turn,
              value: before?.key === key ? before.value : null,
              error: new ConvoyError(answered.error),
            },
      );
    });
    return () => {
      isLatest = false;
    };
  }, [key, turn, isUnreachable]);

  const known = answer?.key === key ? answer : null;
  const isOffline = known === null ? isUnreachable : isTransport(known.error);
  return {
    value: known?.value ?? null,
    isLoading: known === null && ask !== null,
    isAsking: known?.turn !== turn && ask !== null,
    isOffline,
    error: isOffline ? null : (known?.error ?? null),
    reload,
  };
}

function isTransport(error: ConvoyError | null): boolean {
  return error?.detail.kind === 'transport' && (error.code === 'offline' || error.code === 'timeout');
}

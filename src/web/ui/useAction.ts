import { useCallback, useState } from 'react';

/** An action that a click starts, with its progress and error for the screen. */
export interface Action<Args extends unknown[]> {
  /** Never rejects. @returns whether it worked */
  run: (...args: Args) => Promise<boolean>;
  isRunning: boolean;
  /** The error of the last run; null: it worked. */
  error: unknown;
  clearError: () => void;
}

export function useAction<Args extends unknown[]>(work: (...args: Args) => Promise<unknown>): Action<Args> {
  const [state, setState] = useState<{ isRunning: boolean; error: unknown }>({
    isRunning: false,
    error: null,
  });
  const run = async (...args: Args) => {
    setState({ isRunning: true, error: null });
    try {
      await work(...args);
      setState({ isRunning: false, error: null });
      return true;
    } catch (error) {
      setState({ isRunning: false, error });
      return false;
    }
  };
  const clearError = useCallback(() => setState((before) => ({ ...before, error: null })), []);
  return { run, ...state, clearError };
}

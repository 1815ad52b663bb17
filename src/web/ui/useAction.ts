import { useCallback, useState } from 'react';

/** Something a click starts, with what its place on the screen has to show. */
export interface Action<Args extends unknown[]> {
  /** Never rejects. @returns whether it worked */
  run: (...args: Args) => Promise<boolean>;
  isRunning: boolean;
  /** Of the last run. */
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

import { useEffect, useRef } from 'react';

/** @returns the value, or the last one while it is read anew: a list stays on the screen when it is to have one more. */
export function useKept<T>(value: T | undefined): T | undefined {
  const last = useRef(value);
  useEffect(() => {
    if (value !== undefined) last.current = value;
  }, [value]);
  return value ?? last.current;
}

import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { NothingHere } from './NothingHere';

const Hold = createContext<(isHeld: boolean) => void>(() => {});

interface HeldPageProps<T> {
  /** undefined until known, null when there is none */
  found: T | null | undefined;
  what: string;
  children: (shown: T) => ReactNode;
}

/** The page of a record. While a form over the record is open the page stays, though somebody deletes it: what is typed is not lost. */
export function HeldPage<T>({ found, what, children }: HeldPageProps<T>) {
  const [isHeld, hold] = useState(false);
  const [last, setLast] = useState(found);
  if (found && found !== last) setLast(found);
  const shown = found ?? (isHeld ? last : found);
  if (shown === undefined) return null;
  if (shown === null) return <NothingHere what={what} />;
  return <Hold value={hold}>{children(shown)}</Hold>;
}

/** Keeps the page of the record as long as the caller is rendered. */
export function useHeldPage(): void {
  const hold = useContext(Hold);
  useEffect(() => {
    hold(true);
    return () => hold(false);
  }, [hold]);
}

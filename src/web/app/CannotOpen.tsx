import type { ReactNode } from 'react';
import { ErrorWords } from '../ui/ErrorNote';
import { Logo } from '../ui/Logo';

interface CannotOpenProps {
  title: string;
  error: unknown;
  onRetry: () => void;
  /** Further actions. */
  children?: ReactNode;
}

/** The page when Convoy cannot open: the error, and what can be done about it. */
export function CannotOpen({ title, error, onRetry, children }: CannotOpenProps) {
  return (
    <main className="sign-in">
      <Logo />
      <section className="card form" role="alert">
        <h1>{title}</h1>
        <ErrorWords error={error} />
        <div className="actions">
          <button type="button" className="button primary" onClick={onRetry}>
            Try again
          </button>
          {children}
        </div>
      </section>
    </main>
  );
}

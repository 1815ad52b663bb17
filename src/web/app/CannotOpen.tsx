import { errorText } from '../ui/ErrorNote';
import { Logo } from '../ui/Logo';

interface CannotOpenProps {
  title: string;
  error: unknown;
  onRetry: () => void;
  onLeave?: () => Promise<void>;
}

/** Convoy cannot open: why, and what can be done. */
export function CannotOpen({ title, error, onRetry, onLeave }: CannotOpenProps) {
  return (
    <main className="sign-in">
      <Logo />
      <section className="card form" role="alert">
        <h1>{title}</h1>
        <p>{errorText(error)}</p>
        <div className="actions">
          <button type="button" className="button primary" onClick={onRetry}>
            Try again
          </button>
          {onLeave && (
            <button type="button" className="button" onClick={() => void onLeave()}>
              Use another account
            </button>
          )}
        </div>
      </section>
    </main>
  );
}

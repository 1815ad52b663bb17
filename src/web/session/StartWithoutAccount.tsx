import { useEffect, useState } from 'react';
import { platform } from '../platform';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';
import { loadDataLayer } from './session';

/** Opens the database of this device without an account, new or with earlier work in it. */
export function StartWithoutAccount({ onStart }: { onStart: () => Promise<void> }) {
  const starting = useAction(onStart);
  const [hasWork, setHasWork] = useState(false);
  useEffect(() => {
    let isShown = true;
    void loadDataLayer()
      .then(({ hasLocalWork }) => hasLocalWork(platform))
      .then((has) => isShown && setHasWork(has));
    return () => {
      isShown = false;
    };
  }, []);
  return (
    <section className="start-alone">
      <button
        type="button"
        className="button wide"
        disabled={starting.isRunning}
        onClick={() => void starting.run()}
      >
        {hasWork ? 'Continue without an account' : 'Start without an account'}
      </button>
      <p className="muted small">
        {hasWork
          ? 'Your work is on this device. Sign in to take it along.'
          : 'Everything stays on this device, and you can take it along when you sign in.'}
      </p>
      <ErrorNote error={starting.error} />
    </section>
  );
}

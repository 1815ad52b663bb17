import { useEffect, useState } from 'react';
import { platform } from '../platform';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';
import { loadDataLayer } from './session';

/** Opens the database of this device without an account, new or with earlier work in it. */
export function StartWithoutAccount({
  onStart,
  isDurable,
}: {
  onStart: () => Promise<void>;
  isDurable: boolean;
}) {
  const starting = useAction(onStart);
  const [hasWork, setHasWork] = useState(false);
  useEffect(() => {
    let isShown = true;
    void loadDataLayer()
      .then(({ hasLocalWork }) => hasLocalWork(platform))
      .then((has) => isShown && setHasWork(has))
      // Pressing the button says what is wrong.
      .catch(() => undefined);
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
      <p className="muted small">{startText(hasWork, isDurable)}</p>
      <ErrorNote error={starting.error} />
    </section>
  );
}

function startText(hasWork: boolean, isDurable: boolean): string {
  if (hasWork)
    return `Your work is ${isDurable ? 'on this device' : 'in this tab'}. Sign in to take it along.`;
  if (isDurable) return 'Everything stays on this device, and you can take it along when you sign in.';
  return 'Everything stays in this tab. Sign in before you close it, to take it along.';
}

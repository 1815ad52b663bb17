import { useState } from 'react';
import { count } from '@/core/count';
import { useDevice } from '../hooks/useDevice';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';
import { useLocalWork } from './useSession';

/**
 * Offers to take along work begun without an account: in a dialog after sign-in, in a note on later visits, until
 * it is taken or dismissed.
 */
export function TakeAlong({ isArrival }: { isArrival: boolean }) {
  const { work, take } = useLocalWork(useDevice());
  const [shown, setShown] = useState<'dialog' | 'note' | 'nothing'>(isArrival ? 'dialog' : 'note');
  const taking = useAction(take);
  if (work === null || shown === 'nothing') return null;

  const names = work.workspaces.map(({ name }) => `“${name}”`).join(', ');
  if (shown === 'note') {
    return (
      <aside className="take-along-note" aria-label="Work without an account">
        <p>Work begun without an account is on this device{names && `: ${names}`}.</p>
        <div className="actions">
          <button type="button" className="button primary" onClick={() => setShown('dialog')}>
            Take it along …
          </button>
          <button type="button" className="button" onClick={() => setShown('nothing')}>
            Not now
          </button>
        </div>
      </aside>
    );
  }
  return (
    <Dialog title="Take your work along?" onClose={() => setShown('nothing')}>
      <p>
        {count(work.workspaces.length, 'workspace')} with {count(work.records, 'record')} in all{' '}
        {work.records === 1 ? 'was' : 'were'} begun on this device without an account{names && `: ${names}`}.
      </p>
      <p>Taken along, they become yours and are sent to the server. Left here, they stay as they are.</p>
      <ErrorNote error={taking.error} />
      <div className="actions">
        <button
          type="button"
          className="button primary"
          disabled={taking.isRunning}
          onClick={() => void taking.run()}
        >
          {taking.isRunning ? 'One moment …' : 'Take it along'}
        </button>
        <button type="button" className="button" onClick={() => setShown('nothing')}>
          Leave it here
        </button>
      </div>
    </Dialog>
  );
}

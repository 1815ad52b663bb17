import { useEffect, useState } from 'react';
import { appUpdates } from '@/platform/web/offline/updates';
import { useAppUpdate } from '../hooks/useAppUpdate';
import { hasUnsavedInput } from '../shared/unsavedInput';

/** Offers a newer version of the app. Nothing is reloaded by itself while a person is typing. */
export function UpdateNotice() {
  const state = useAppUpdate();
  const [isWarned, setWarned] = useState(false);
  useEffect(() => {
    if (state === 'taken' && !hasUnsavedInput()) window.location.reload();
  }, [state]);
  if (state === 'none') return null;
  const reload = () => (hasUnsavedInput() && !isWarned ? setWarned(true) : appUpdates.take());
  return (
    <div className="update-note" role="status">
      <span>
        {isWarned
          ? 'What you have typed is not saved yet.'
          : state === 'ready'
            ? 'A newer version of Convoy is ready.'
            : 'Another tab uses a newer version of Convoy. Save what you have typed, then reload.'}
      </span>
      <button type="button" className="button" onClick={reload}>
        {isWarned ? 'Reload anyway' : 'Reload'}
      </button>
    </div>
  );
}

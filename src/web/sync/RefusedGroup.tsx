import { useState } from 'react';
import { culpritOf, type Quarantined } from '@/lib/watermelon';
import { useDevice } from '../hooks/useDevice';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { ErrorNote, TechnicalDetails } from '../ui/ErrorNote';
import { describeRefusal } from '../ui/errorText';
import { wordsOf } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { useAction } from '../ui/useAction';
import { SetAsideChanges } from './SetAsideChanges';

/** A group of refused changes, the reason, and the buttons that retry or discard them. */
export function RefusedGroup({ group }: { group: Quarantined[] }) {
  const device = useDevice();
  const [isDiscarding, setDiscarding] = useState(false);
  const [isGone, setGone] = useState(false);
  const culprit = culpritOf(group);
  const retrying = useAction(async (id: string) => {
    const isRetried = await device.retryQuarantined(id);
    setGone(!isRetried);
    if (isRetried) void device.sync();
  });
  if (!culprit) return null;
  const reason = describeRefusal(culprit);

  return (
    <article className="card entry">
      <p>
        <strong>{reason.headline}</strong> {reason.detail}
        {culprit.column !== null && <span className="muted"> ({wordsOf(culprit.column)})</span>}{' '}
        <span className="muted small">
          <TimeAgo time={culprit.occurredAt.getTime()} />
        </span>
      </p>
      {reason.technical !== null && <TechnicalDetails text={reason.technical} />}
      <SetAsideChanges
        entries={group}
        valuesOf={({ change }) => ({ values: change.values, base: change.base })}
      />
      <ErrorNote error={retrying.error} />
      {isGone && (
        <p className="muted" role="status">
          The record of this change is not on this device any more, so it cannot be retried now. The change
          stays here until it can be, or until you discard it.
        </p>
      )}
      <div className="actions">
        <button
          type="button"
          className="button primary"
          disabled={retrying.isRunning}
          onClick={() => void retrying.run(culprit.id)}
        >
          Retry
        </button>
        <button type="button" className="button quiet-danger" onClick={() => setDiscarding(true)}>
          Discard
        </button>
      </div>
      {isDiscarding && (
        <ConfirmDialog
          title="Discard this change?"
          confirmLabel="Discard"
          onConfirm={() => device.discardQuarantined(culprit.id)}
          onClose={() => setDiscarding(false)}
        >
          <p>The values on the server stay; yours will be lost for good.</p>
        </ConfirmDialog>
      )}
    </article>
  );
}

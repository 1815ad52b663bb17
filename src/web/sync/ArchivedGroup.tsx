import { useState } from 'react';
import { count } from '@/core/count';
import { ARCHIVE_REASONS } from '@/domain/setAsideText';
import type { Archived } from '@/lib/watermelon';
import { useDevice } from '../hooks/useDevice';
import { DownloadButton } from '../shared/DownloadButton';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { TimeAgo } from '../ui/TimeAgo';
import { SetAsideChanges } from './SetAsideChanges';

/** Changes that were archived together, with why. */
export function ArchivedGroup({ group }: { group: Archived[] }) {
  const device = useDevice();
  const [isDiscarding, setDiscarding] = useState(false);
  const [first] = group;
  if (!first) return null;
  return (
    <article className="card entry">
      <p>
        <strong>{ARCHIVE_REASONS[first.reason]}</strong> {count(group.length, 'change')} of yours{' '}
        {group.length === 1 ? 'is' : 'are'} kept here.{' '}
        <span className="muted small">
          <TimeAgo time={first.occurredAt.getTime()} />
        </span>
      </p>
      <SetAsideChanges entries={group} valuesOf={({ values }) => ({ values, base: {} })} />
      <div className="actions">
        <DownloadButton
          label="Download these"
          content={async () => group.map(({ _raw, values }) => ({ ..._raw, values }))}
        />
        <button type="button" className="button quiet-danger" onClick={() => setDiscarding(true)}>
          Discard
        </button>
      </div>
      {isDiscarding && (
        <ConfirmDialog
          title="Discard these values?"
          confirmLabel="Discard"
          onConfirm={() => device.discardArchived(group.map(({ id }) => id))}
          onClose={() => setDiscarding(false)}
        >
          <p>They are on this device only, and will be lost for good. Download them first to keep them.</p>
        </ConfirmDialog>
      )}
    </article>
  );
}

import { type Conflict, isOnlyHere } from '@/lib/watermelon';
import { useDevice } from '../../hooks/useDevice';
import { usePermissions } from '../../hooks/usePermissions';
import { useRecord } from '../../hooks/useQuery';
import { ErrorNote } from '../../ui/ErrorNote';
import { RoleNote } from '../../ui/RoleNote';
import { useAction } from '../../ui/useAction';
import { tableNoun } from '../recordText';
import { DiscardConflict } from './DiscardConflict';

/** Settles an open conflict, or reverses a settled one, as an edit of this user. */
export function SettleButtons({ conflict }: { conflict: Conflict }) {
  const { id, recordTable: table, recordId, workspaceId, state } = conflict;
  const device = useDevice();
  const record = useRecord(table, recordId);
  const why = usePermissions(workspaceId).whyNot(table, 'update');
  const settling = useAction((how: 'mine' | 'theirs') => device.settleConflict(id, how));
  const entries = Object.values(conflict.columns);
  const isOpen = state === 'open';
  const offers = [
    { how: 'mine', label: 'Use yours', isNew: entries.some(({ chosen, local }) => chosen !== local) },
    { how: 'theirs', label: 'Use theirs', isNew: entries.some(({ chosen, remote }) => chosen !== remote) },
  ] as const;

  if (record === undefined) return null;
  if (record === null) {
    return (
      <>
        <p className="muted">The {tableNoun(table)} is gone; nothing is left to decide.</p>
        <DiscardConflict conflict={conflict} />
      </>
    );
  }
  if (why !== null) {
    return (
      <>
        <RoleNote reasons={[why]} />
        <DiscardConflict conflict={conflict} />
      </>
    );
  }
  return (
    <>
      <div className="actions">
        {offers
          .filter(({ isNew }) => isOpen || isNew)
          .map(({ how, label }) => (
            <button
              key={how}
              type="button"
              className="button"
              disabled={settling.isRunning}
              onClick={() => void settling.run(how)}
            >
              {label}
            </button>
          ))}
      </div>
      <ErrorNote error={settling.error} />
      {!isOpen && isOnlyHere(conflict) && <DiscardConflict conflict={conflict} />}
    </>
  );
}

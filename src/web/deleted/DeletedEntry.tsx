import { count } from '@/core/count';
import { mayRestore } from '@/domain/permissions';
import { type ObservedDeletion, restoreDeletion } from '@/lib/watermelon/contextService';
import { useMembers } from '../hooks/useMembers';
import { tableNoun } from '../shared/recordText';
import { ErrorNote } from '../ui/ErrorNote';
import { TimeAgo } from '../ui/TimeAgo';
import { useAction } from '../ui/useAction';

/** One deletion: its record, time and author, and the button that restores it. */
export function DeletedEntry({ deletion }: { deletion: ObservedDeletion }) {
  const { id, name, entity_type, parts, created_at, last_modified_by, state } = deletion;
  const { me, nameOf } = useMembers(deletion.workspace_id);
  const restoring = useAction(() => restoreDeletion(id));
  const isOffered = state === 'deleted' || state === 'unsynced' || state === 'refused';
  const noun = tableNoun(entity_type);

  return (
    <div className="deleted-entry">
      <div>
        <p>
          <strong>{name}</strong>
        </p>
        <p className="muted small">
          {noun.charAt(0).toUpperCase() + noun.slice(1)}
          {parts > 1 && `, with ${count(parts - 1, 'other record')}`}
          {' · '}
          {state === 'restoring' ? (
            'restored here, not on the server yet'
          ) : (
            <>
              deleted <TimeAgo time={created_at} /> by {nameOf(last_modified_by).replace('You', 'you')}
            </>
          )}
          {state === 'refused' && ' · the server would not restore it: see the sync page'}
        </p>
      </div>
      <button
        type="button"
        className="button"
        disabled={
          !isOffered || restoring.isRunning || (state !== 'unsynced' && !mayRestore(me ?? null, entity_type))
        }
        aria-label={`Restore ${name}`}
        onClick={() => void restoring.run()}
      >
        {state === 'restoring' ? 'Restoring' : 'Restore'}
      </button>
      <ErrorNote error={restoring.error} />
    </div>
  );
}

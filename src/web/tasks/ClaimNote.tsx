import { useState } from 'react';
import type { Task } from '@/domain/entities';
import { useDevice } from '../hooks/useDevice';
import { useMembers } from '../hooks/useMembers';
import { usePermissions } from '../hooks/usePermissions';
import { useReleaseClaim } from '../hooks/useReleaseClaim';
import { ReassignDialog } from '../shared/ReassignDialog';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { useAction } from '../ui/useAction';
import { useNow } from '../ui/useNow';
import styles from './ClaimNote.module.css';
import { claimText } from './claimText';
import { useWorkSince } from './useWorkSince';

interface ClaimNoteProps {
  task: Task;
  /** The task waits at a checkpoint. */
  waits: boolean;
  nameOf: (userId: string | null) => string;
}

/** The holder of the task, and until when. The holder may release it, and so may people who own or edit the workspace (C11). */
export function ClaimNote({ task, waits, nameOf }: ClaimNoteProps) {
  const { userId } = useDevice();
  const { members } = useMembers(task.workspace_id);
  const { passesCheckpoints } = usePermissions(task.workspace_id);
  const now = useNow();
  const [isReassigning, setReassigning] = useState(false);
  const since = useWorkSince(task);
  const release = useReleaseClaim();
  const releasing = useAction(() => release(task));
  const { claimed_by, claimed_until } = task;
  const isAgent = members.some(({ user_id, kind }) => user_id === claimed_by && kind === 'agent');
  const { headline, detail } = claimText({
    name: nameOf(claimed_by),
    isOwn: claimed_by === userId,
    waits,
    since,
    until: claimed_until === null ? null : Date.parse(claimed_until),
    now,
  });
  return (
    <div className={styles.claim}>
      <p>
        <Icon name={isAgent ? 'agent' : 'person'} />
        <strong dir="auto">{headline}</strong>
      </p>
      {detail !== null && <p className={styles.detail}>{detail}</p>}
      {(claimed_by === userId || passesCheckpoints) && (
        <div className="actions">
          <button
            type="button"
            className="button"
            aria-disabled={releasing.isRunning}
            onClick={() => {
              if (!releasing.isRunning) void releasing.run();
            }}
          >
            Release
          </button>
          <button type="button" className="button" onClick={() => setReassigning(true)}>
            Reassign…
          </button>
        </div>
      )}
      {isReassigning && <ReassignDialog task={task} onClose={() => setReassigning(false)} />}
      <ErrorNote error={releasing.error} />
    </div>
  );
}

import { useState } from 'react';
import { Link } from 'wouter';
import type { Task } from '@/domain/entities';
import { useDevice } from '../hooks/useDevice';
import { usePeople } from '../hooks/usePeople';
import { useReleaseClaim } from '../hooks/useReleaseClaim';
import { taskAddress } from '../routes';
import { ReassignDialog } from '../shared/ReassignDialog';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { ErrorNote } from '../ui/ErrorNote';
import { stageLabel } from '../ui/labels';
import { Menu } from '../ui/Menu';
import { TimeAgo } from '../ui/TimeAgo';
import { toasts } from '../ui/toasts';
import { useAction } from '../ui/useAction';
import styles from './AgentsPage.module.css';
import type { ShownAgent } from './useAgents';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** An agent: what it works on, since when it has been quiet, what it waits for, and stopping it. */
export function AgentRow({ agent, isManaged }: { agent: ShownAgent; isManaged: boolean }) {
  const { member, name, workspace, held, activity } = agent;
  const { contextService } = useDevice();
  const release = useReleaseClaim();
  const { nameOf } = usePeople();
  const [isRevoking, setRevoking] = useState(false);
  const [reassigned, setReassigned] = useState<Task | null>(null);
  const isPaused = member.paused_at !== null;
  const stopping = useAction(async () => {
    // The pause first: a released task is not taken again by the same agent.
    await contextService.pauseAgent(member.id, true);
    let areFree = true;
    for (const task of held) areFree = (await release(task)) && areFree;
    toasts.add({
      title: `${name} is stopped.`,
      description: `${areFree ? 'Its tasks are free, and the' : 'The'} server takes nothing from it once it knows. Its process may go on running where it runs.`,
    });
  });
  const resuming = useAction(() => contextService.pauseAgent(member.id, false));
  const releasing = useAction(release);
  const error = stopping.error ?? resuming.error ?? releasing.error;

  return (
    <li className={styles.agent}>
      <span className="avatar avatar-agent" aria-hidden="true">
        {name.charAt(0).toUpperCase()}
      </span>
      <div className={styles.facts}>
        <p>
          <strong dir="auto">{name}</strong>{' '}
          <span className="muted small">
            {workspace.name}
            {member.made_by !== null && ` · made by ${nameOf(member.made_by)}`}
          </span>
        </p>
        <State agent={agent} />
        <p className="muted small">
          {activity?.lastAt ? (
            <>
              Last sign of life <TimeAgo time={activity.lastAt} />
            </>
          ) : (
            'No sign of life yet'
          )}
          {' · '}
          {activity?.finished ?? 0} done today
        </p>
        <ErrorNote error={error} />
      </div>
      {isManaged && (
        <div className={styles.actions}>
          <button
            type="button"
            className="button"
            aria-disabled={stopping.isRunning || resuming.isRunning}
            onClick={() => {
              if (!stopping.isRunning && !resuming.isRunning)
                void (isPaused ? resuming.run() : stopping.run());
            }}
          >
            {isPaused ? 'Let it go on' : 'Stop'}
          </button>
          <Menu
            label={`More about ${name}`}
            groups={[
              held.flatMap((task) => {
                const { key, title } = task;
                if (task.claim_id === null) return [];
                return [
                  { label: `Release ${key ?? title}`, onSelect: () => void releasing.run(task) },
                  { label: `Reassign ${key ?? title}…`, onSelect: () => setReassigned(task) },
                ];
              }),
              [{ label: 'Revoke…', icon: 'trash', isDangerous: true, onSelect: () => setRevoking(true) }],
            ]}
          />
        </div>
      )}
      {reassigned && <ReassignDialog task={reassigned} onClose={() => setReassigned(null)} />}
      {isRevoking && (
        <ConfirmDialog
          title={`Revoke ${name}?`}
          confirmLabel="Revoke"
          onConfirm={() => contextService.revokeAgent(member.id)}
          onClose={() => setRevoking(false)}
        >
          <p>
            It leaves {workspace.name} with its next call, and its tasks are free. What it has written stays.
            This needs the server.
          </p>
        </ConfirmDialog>
      )}
    </li>
  );
}

function State({ agent: { state } }: { agent: ShownAgent }) {
  const { nameOf } = usePeople();
  switch (state.kind) {
    case 'paused':
      return (
        <p>
          <span className={`${styles.mark} ${styles.paused}`} aria-hidden="true" />
          Paused <TimeAgo time={state.since} />
        </p>
      );
    case 'idle':
      return (
        <p className="muted">
          <span className={styles.mark} aria-hidden="true" />
          Works on nothing
        </p>
      );
    case 'working': {
      const { task } = state;
      return (
        <p>
          <span className={`${styles.mark} ${styles.working}`} aria-hidden="true" />
          Works on <TaskLink task={task} /> at {stageLabel(task.current_stage)}
          {task.claimed_until !== null && (
            <span className="muted"> · lease until {clock.format(new Date(task.claimed_until))}</span>
          )}
        </p>
      );
    }
    case 'waiting': {
      const { task, review } = state;
      const { by, user_id } = review.reviewers;
      const whom = by === 'all' ? 'whoever may approve' : nameOf(user_id) === 'You' ? 'you' : nameOf(user_id);
      return (
        <p>
          <span className={`${styles.mark} ${styles.waiting}`} aria-hidden="true" />
          Waits for {whom} with <TaskLink task={task} /> at {stageLabel(task.current_stage)}{' '}
          <span className="muted">
            since <TimeAgo time={review.since} />
          </span>
        </p>
      );
    }
  }
}

function TaskLink({ task }: { task: { id: string; key: string | null; title: string } }) {
  return (
    <Link href={taskAddress(task)} title={task.title}>
      {task.key !== null && `${task.key} `}
      <span dir="auto">{task.title}</span>
    </Link>
  );
}

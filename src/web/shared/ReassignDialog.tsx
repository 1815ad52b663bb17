import { useState } from 'react';
import type { Task } from '@/domain/entities';
import { useMembers } from '../hooks/useMembers';
import { useReleaseClaim } from '../hooks/useReleaseClaim';
import { useTaskEdit } from '../hooks/useTaskEdit';
import { FormDialog } from '../ui/FormDialog';
import { useAction } from '../ui/useAction';

interface ReassignDialogProps {
  /** A task that somebody holds. */
  task: Task;
  onClose: () => void;
}

/** Hands a task that somebody is at work on to somebody else: it is assigned to them, and the claim ends. */
export function ReassignDialog({ task, onClose }: ReassignDialogProps) {
  const release = useReleaseClaim();
  const { members, nameOf } = useMembers(task.workspace_id);
  const saveTask = useTaskEdit();
  const others = members.filter(
    ({ user_id, role, paused_at }) => user_id !== task.claimed_by && role !== 'viewer' && paused_at === null,
  );
  const [chosen, setChosen] = useState<string | null>(null);
  const to = chosen ?? others[0]?.user_id ?? '';
  const name = task.key ?? `“${task.title}”`;
  const reassigning = useAction(async () => {
    // The assignment first: a task that is free and still theirs would be taken again by the same agent.
    await saveTask(
      task,
      { assignee_id: to || null },
      `${name} is assigned to ${to ? nameOf(to) : 'nobody'}.`,
    );
    await release(task);
  });
  return (
    <FormDialog
      title={`Reassign ${name}`}
      submitLabel="Reassign"
      fields={[
        {
          name: 'to',
          label: 'Who takes it over?',
          kind: 'select',
          required: true,
          options: {
            ...Object.fromEntries(others.map(({ user_id }) => [user_id, nameOf(user_id)])),
            '': 'Nobody: whoever is free takes it',
          },
          hint: `The claim of ${nameOf(task.claimed_by)} ends, and they may write no more under it. What is written stays.`,
        },
      ]}
      values={{ to }}
      onChange={(_name, value) => setChosen(value)}
      error={reassigning.error}
      isRunning={reassigning.isRunning}
      onSubmit={async () => {
        if (await reassigning.run()) onClose();
      }}
      onClose={onClose}
    />
  );
}

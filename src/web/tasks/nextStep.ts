/** The next step of a task, in the order of its workflow. Pure. */

import type { Task } from '@/domain/entities';
import type { Stage } from '../hooks/useTaskStageManagement';
import { stageLabel } from '../ui/labels';

export interface NextStep {
  /** As the button says it. */
  label: string;
  /** The stage that the task goes to; null: it is finished. */
  stage: Stage | null;
}

/** Checkpoints whose approval people call by what is approved. */
const APPROVALS: Readonly<Record<string, string>> = { PLAN_REVIEW: 'Approve plan' };

/**
 * @param stages in order, as the user may move between them
 * @param isAsked whether a request for review of the present stage is open
 * @returns null where there is none: the task is closed, its stage is unknown, or a checkpoint is for others to pass
 */
export function nextStepOf(
  task: Pick<Task, 'status' | 'current_stage'>,
  stages: readonly Stage[],
  isAsked: boolean,
): NextStep | null {
  if (task.status === 'done' || task.status === 'cancelled') return null;
  const here = stages.find(({ place }) => place === 'here');
  if (here === undefined) return null;
  const next = stages.find(({ place }) => place === 'ahead');
  if (next === undefined) return here.is_checkpoint ? null : { label: 'Finish task', stage: null };
  if (next.blockedBy !== null) return null;
  if (isAsked && here.is_checkpoint) return { label: approvalOf(here.name), stage: next };
  return { label: `Move to ${stageLabel(next.name)}`, stage: next };
}

function approvalOf(stage: string): string {
  return APPROVALS[stage] ?? `Approve ${stageLabel(stage).toLowerCase()}`;
}

import type { TaskPriority, TaskStatus } from '@/domain/vocabulary';
import { PRIORITY_LABELS, stageLabel, TASK_STATUS_LABELS } from './labels';

export function StatusBadge({ status }: { status: TaskStatus }) {
  return <span className={`badge status-${status}`}>{TASK_STATUS_LABELS[status]}</span>;
}

export function PriorityBadge({ priority }: { priority: TaskPriority }) {
  return <span className={`priority priority-${priority}`}>{PRIORITY_LABELS[priority]}</span>;
}

export function StageBadge({ stage }: { stage: string }) {
  return <span className="stage-badge">{stageLabel(stage)}</span>;
}

import type { Milestone } from '@/domain/entities';
import { useCount } from '../hooks/useQuery';
import { dayText } from '../ui/formValues';
import { MILESTONE_STATUS_LABELS } from '../ui/labels';

/** Status, date and progress of a milestone in a line. */
export function MilestoneFacts({ milestone }: { milestone: Milestone }) {
  const total = useCount('tasks', { milestone_id: milestone.id }) ?? 0;
  const finished = useCount('tasks', { milestone_id: milestone.id, status: ['done', 'cancelled'] }) ?? 0;
  return (
    <span className="facts milestone-facts">
      <span>
        <span className={`badge place-${milestone.status}`}>{MILESTONE_STATUS_LABELS[milestone.status]}</span>
      </span>
      <span className="muted small">{milestone.target_date && `due ${dayText(milestone.target_date)}`}</span>
      {total > 0 && (
        <span className="progress-fact">
          <progress max={total} value={finished} aria-hidden="true" />
          <span className="muted small">
            {finished} of {total} finished
          </span>
        </span>
      )}
    </span>
  );
}

import type { Milestone } from '@/domain/entities';
import { useCount } from '../hooks/useQuery';
import { MILESTONE_STATUS_LABELS } from '../ui/labels';

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** Status, date and progress of a milestone in a line. */
export function MilestoneFacts({ milestone }: { milestone: Milestone }) {
  const total = useCount('tasks', { milestone_id: milestone.id }) ?? 0;
  const finished = useCount('tasks', { milestone_id: milestone.id, status: ['done', 'cancelled'] }) ?? 0;
  return (
    <span className="facts milestone-facts">
      <span>
        <span className={`badge place-${milestone.status}`}>{MILESTONE_STATUS_LABELS[milestone.status]}</span>
      </span>
      <span className="muted small">
        {milestone.target_date && `due ${day.format(new Date(milestone.target_date))}`}
      </span>
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

import type { Milestone } from '@/domain/entities';
import { useCount } from '../hooks/useQuery';
import { dayText } from '../ui/formValues';
import { MILESTONE_STATUS_LABELS } from '../ui/labels';

/** Status, date and progress of a milestone in a line. */
export function MilestoneFacts({ milestone }: { milestone: Milestone }) {
  const total = useCount('tasks', { milestone_id: milestone.id });
  const finished = useCount('tasks', { milestone_id: milestone.id, status: ['done', 'cancelled'] });
  const isKnown = total !== undefined && finished !== undefined;
  return (
    <span className="facts milestone-facts">
      <span>
        <span className={`badge place-${milestone.status}`}>{MILESTONE_STATUS_LABELS[milestone.status]}</span>
      </span>
      <span className="muted small">{milestone.target_date && `due ${dayText(milestone.target_date)}`}</span>
      {/* Its place is kept until the numbers are known, or what is below would move. */}
      {total !== 0 && (
        <span className={`progress-fact ${isKnown ? '' : 'unknown'}`}>
          <progress max={total ?? 1} value={finished ?? 0} aria-hidden="true" />
          <span className="muted small">
            {finished ?? 0} of {total ?? 0} finished
          </span>
        </span>
      )}
    </span>
  );
}

import { Link } from 'wouter';
import type { Milestone } from '@/domain/entities';
import { routes } from '../routes';
import { EmptyState } from '../ui/EmptyState';
import { Icon } from '../ui/Icon';
import { MilestoneFacts } from './MilestoneFacts';

interface ProjectMilestonesProps {
  milestones: readonly Milestone[];
  isKnown: boolean;
  /** Why none can be added; null: one can. */
  whyNot: string | null;
  onNew: () => void;
}

/** The milestones of a project, by their dates. */
export function ProjectMilestones({ milestones, isKnown, whyNot, onNew }: ProjectMilestonesProps) {
  return (
    <section aria-labelledby="milestones-title">
      <div className="section-title">
        <h2 id="milestones-title">Milestones</h2>
        <button type="button" className="button primary" disabled={whyNot !== null} onClick={onNew}>
          <Icon name="plus" />
          New milestone
        </button>
      </div>
      {isKnown && milestones.length === 0 && (
        <EmptyState title="No milestones yet.">
          <p>A milestone is a goal with a date and requirements; its tasks lead there.</p>
        </EmptyState>
      )}
      <ul className="rows">
        {milestones.map((milestone) => (
          <li key={milestone.id}>
            <Link className="row-link" href={routes.milestone(milestone.id)}>
              <span className="row-title" dir="auto">
                {milestone.name}
              </span>
              <MilestoneFacts milestone={milestone} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

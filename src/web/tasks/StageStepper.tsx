import { useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { REVIEW_TYPES, reviewOf } from '@/domain/reviews';
import { type Stage, useTaskStageManagement } from '../hooks/useTaskStageManagement';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { stageLabel } from '../ui/labels';
import { CheckpointDialog } from './CheckpointDialog';

/**
 * The stages of the task's workflow; a click on another stage moves the task there. A person who moves it past a human
 * checkpoint is asked about the request for review, or for a reason.
 */
export function StageStepper(context: Pick<TaskContext, 'task' | 'workflow' | 'activities'>) {
  const [chosen, setChosen] = useState<Stage | null>(null);
  const { stages, moveTo, isMoving, error, whyNot } = useTaskStageManagement(context);
  const { task, workflow } = context;
  if (stages.length === 0) {
    return (
      <p className="note" role="note">
        <span>Stage: {stageLabel(task.current_stage)}. Its workflow is not on this device yet.</span>
      </p>
    );
  }
  const isAsked = isReviewAsked(context);
  const next = stages.find(({ place, passes }) => place === 'ahead' && passes.includes(task.current_stage));
  const gate = stages.find((stage) => stage.blockedBy !== null)?.blockedBy ?? null;
  return (
    <section className="stepper" aria-label={`Stage, in the workflow ${workflow?.name ?? ''}`}>
      <ol>
        {stages.map((stage) => (
          <Step
            key={stage.name}
            stage={stage}
            isDisabled={whyNot !== null || isMoving}
            onMove={() => {
              if (stage.blockedBy === null && stage.passes.length > 0) setChosen(stage);
              else void moveTo(stage.name);
            }}
          />
        ))}
      </ol>
      {whyNot === null && gate !== null && !error && (
        <p className="stepper-hint">
          <Icon name="person" />
          {stageLabel(gate)} is a human checkpoint: an owner or editor has to move the task past it.
        </p>
      )}
      {whyNot === null && gate === null && isAsked && next && (
        <p className="stepper-hint">
          <Icon name="person" />A review is asked for.{' '}
          <button type="button" className="link-button" onClick={() => setChosen(next)}>
            Look at it
          </button>
        </p>
      )}
      {chosen === null && <ErrorNote error={error} />}
      {chosen !== null && (
        <CheckpointDialog
          task={task}
          stage={chosen.name}
          passes={chosen.passes}
          onJump={moveTo}
          jumpError={error}
          onClose={() => setChosen(null)}
        />
      )}
    </section>
  );
}

/** Whether the task waits at a checkpoint with an open request, as far as the shown part of the feed says. */
function isReviewAsked({ task, activities }: Pick<TaskContext, 'task' | 'activities'>): boolean {
  const entries = activities.filter(({ activity_type }) =>
    REVIEW_TYPES.some((type) => type === activity_type),
  );
  const review = reviewOf(task, entries.toReversed());
  return review?.state === 'open' && review.stage === task.current_stage;
}

interface StepProps {
  stage: Stage;
  isDisabled: boolean;
  onMove: () => void;
}

function Step({ stage, isDisabled, onMove }: StepProps) {
  const isHere = stage.place === 'here';
  const classes = [
    'step',
    `step-${stage.place}`,
    stage.is_checkpoint && 'step-checkpoint',
    stage.blockedBy !== null && 'step-blocked',
  ];
  return (
    <li className={classes.filter(Boolean).join(' ')}>
      <button
        type="button"
        title={stage.description}
        aria-current={isHere ? 'step' : undefined}
        disabled={isDisabled || isHere}
        onClick={onMove}
      >
        <span className="step-mark" aria-hidden="true">
          {stage.is_checkpoint ? <Icon name="person" /> : stage.place === 'behind' && <Icon name="check" />}
        </span>
        <span className="step-name">{stageLabel(stage.name)}</span>
        {stage.is_checkpoint && <span className="step-note">human checkpoint</span>}
      </button>
    </li>
  );
}

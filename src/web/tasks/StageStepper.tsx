import { useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { REVIEW_TYPES, reviewOf } from '@/domain/reviews';
import { usePageActions } from '../actions/pageActions';
import { makeUndoable } from '../actions/undo';
import { useDevice } from '../hooks/useDevice';
import { useSaveEdit } from '../hooks/useSaveEdit';
import { type Stage, useTaskStageManagement } from '../hooks/useTaskStageManagement';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { stageLabel } from '../ui/labels';
import { useAction } from '../ui/useAction';
import { CheckpointDialog } from './CheckpointDialog';
import { nextStepOf } from './nextStep';

/**
 * The stages of the task's workflow; the button moves the task to the next one, a click on another stage moves it there. A person
 * who moves it past a human checkpoint is asked about the request for review, or for a reason.
 */
export function StageStepper(context: Pick<TaskContext, 'task' | 'workflow' | 'activities'>) {
  const { contextService } = useDevice();
  const saveEdit = useSaveEdit();
  const [chosen, setChosen] = useState<Stage | null>(null);
  const { stages, moveTo, isMoving, error, whyNot, isKnown } = useTaskStageManagement(context);
  const { task, workflow } = context;
  const isAsked = isReviewAsked(context);
  const finishing = useAction(() =>
    contextService.finishTask(task.id, { expected: { current_stage: task.current_stage }, merges: true }),
  );
  const step = whyNot === null ? nextStepOf(task, stages, isAsked) : null;

  const moveAndOffer = async (stage: string, reason?: string) => {
    const { id, title, current_stage, status, completion_date } = task;
    let isMoved = false;
    await makeUndoable(`“${title}” is moved to ${stageLabel(stage)}.`, async () => {
      isMoved = await moveTo(stage, reason);
      if (!isMoved || reason !== undefined) return null;
      return async () => {
        // The status followed the stage. Whatever it is now, it is undone only where the stage is the one that was chosen.
        const now = (await contextService.getLocalTask(id)) ?? task;
        await saveEdit('tasks', { ...now, current_stage: stage }, { current_stage, status, completion_date });
      };
    });
    return isMoved;
  };
  const move = (stage: Stage) => {
    if (!isKnown) return;
    if (stage.blockedBy === null && stage.passes.length > 0) setChosen(stage);
    else void moveAndOffer(stage.name);
  };
  const takeStep = () => {
    if (step === null || !isKnown || isMoving || finishing.isRunning) return;
    if (step.stage === null) void finishing.run();
    else move(step.stage);
  };
  usePageActions(step === null ? [] : [{ group: 'Task', label: step.label, keys: 'm', run: takeStep }]);
  if (stages.length === 0) {
    return (
      <p className="note" role="note">
        <span>Stage: {stageLabel(task.current_stage)}. Its workflow is not on this device yet.</span>
      </p>
    );
  }
  const gate = stages.find((stage) => stage.blockedBy !== null)?.blockedBy ?? null;
  const here = stages.find(({ place }) => place === 'here');
  return (
    <section className="stepper" aria-label={`Stage, in the workflow ${workflow?.name ?? ''}`}>
      <ol>
        {stages.map((stage) => (
          <Step
            key={stage.name}
            stage={stage}
            isDisabled={whyNot !== null || isMoving || !isKnown}
            onMove={() => move(stage)}
          />
        ))}
      </ol>
      {here && (
        // Where there is no room for the names of all stages. Screen readers have them at the steps.
        <p className="stepper-here" aria-hidden="true">
          <span className="step-name">{stageLabel(here.name)}</span>
          {here.is_checkpoint && <span className="step-note"> · human checkpoint</span>}
        </p>
      )}
      {whyNot === null && gate !== null && !error && (
        <p className="stepper-hint">
          <Icon name="person" />
          {stageLabel(gate)} is a human checkpoint: an owner or editor has to move the task past it.
        </p>
      )}
      {step !== null && (
        <div className="stepper-next">
          <button
            type="button"
            className="button primary"
            title={`${step.label} (M)`}
            // Not disabled, which would take the focus away.
            aria-disabled={isMoving || finishing.isRunning || !isKnown}
            onClick={takeStep}
          >
            {step.label}
          </button>
          {isAsked && (
            <span className="muted small">
              <Icon name="person" /> A review is asked for.
            </span>
          )}
        </div>
      )}
      {chosen === null && <ErrorNote error={error ?? finishing.error} />}
      {chosen !== null && (
        <CheckpointDialog
          task={task}
          stage={chosen.name}
          passes={chosen.passes}
          onJump={moveAndOffer}
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
  const isBlocked = stage.blockedBy !== null;
  return (
    <li
      className={`step step-${stage.place} ${stage.is_checkpoint ? 'step-checkpoint' : ''} ${isBlocked ? 'step-blocked' : ''}`}
    >
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

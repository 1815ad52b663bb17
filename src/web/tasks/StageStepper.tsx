import type { TaskContext } from '@/domain/entities';
import { type Stage, useTaskStageManagement } from '../hooks/useTaskStageManagement';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { stageLabel } from '../ui/labels';

/** The stages of the task's workflow; a click on another stage moves the task there. */
export function StageStepper(context: Pick<TaskContext, 'task' | 'workflow'>) {
  const { stages, moveTo, isMoving, error, whyNot } = useTaskStageManagement(context);
  const { task, workflow } = context;
  if (stages.length === 0) {
    return (
      <p className="note" role="note">
        <span>Stage: {stageLabel(task.current_stage)}. Its workflow is not on this device yet.</span>
      </p>
    );
  }
  const gate = stages.find((stage) => stage.blockedBy !== null)?.blockedBy ?? null;
  return (
    <section className="stepper" aria-label={`Stage, in the workflow ${workflow?.name ?? ''}`}>
      <ol>
        {stages.map((stage) => (
          <Step
            key={stage.name}
            stage={stage}
            isDisabled={whyNot !== null || isMoving}
            onMove={() => void moveTo(stage.name)}
          />
        ))}
      </ol>
      {whyNot === null && gate !== null && !error && (
        <p className="stepper-hint">
          <Icon name="person" />
          {stageLabel(gate)} is a human checkpoint: an owner or editor has to move the task past it.
        </p>
      )}
      <ErrorNote error={error} />
    </section>
  );
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

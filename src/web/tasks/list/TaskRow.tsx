import { type KeyboardEvent, memo, type PointerEvent, useState } from 'react';
import { Link } from 'wouter';
import type { Observed, TaskLine } from '@/lib/watermelon';
import { routes } from '../../routes';
import { useDraft } from '../../shared/useDraft';
import { Icon, type IconName } from '../../ui/Icon';
import { PRIORITY_LABELS, stageLabel, TASK_STATUS_LABELS } from '../../ui/labels';
import { SyncMark } from '../../ui/SyncMark';
import { oneLine } from '../inPlaceText';
import styles from './TaskList.module.css';

export interface Rename {
  title: string;
  /** The title when the person began. */
  base: string;
}

export type Cell = 'priority' | 'status' | 'stage' | 'assignee';

/** Requests of a row to its list. */
export interface RowActions {
  onFocus(id: string): void;
  onCell(task: TaskLine, cell: Cell, anchor: Element): void;
  /** @param rename null: the title stays as it was */
  onRenamed(task: TaskLine, rename: Rename | null): void;
  onGrip(task: TaskLine, event: PointerEvent<HTMLElement>): void;
}

export interface RowTexts {
  name: string;
  /** The name of the assignee; null: there is none. */
  assignee: string | null;
  initial: string;
  isAgent: boolean;
  isAtWork: boolean;
  /** The target date of its milestone, where the list has several. */
  date: string | null;
}

interface TaskRowProps extends RowTexts {
  task: Observed<TaskLine>;
  depth: number;
  /** Tab leads to the controls of this row alone; arrows lead to the others. */
  isCurrent: boolean;
  isRenaming: boolean;
  /** The control that has its menu open. */
  openCell?: Cell | undefined;
  /** Whether the user may change it. */
  isEditable: boolean;
  isMovable: boolean;
  actions: RowActions;
}

const STATUS_ICONS: Record<TaskLine['status'], IconName> = {
  todo: 'statusTodo',
  in_progress: 'statusInProgress',
  blocked: 'statusBlocked',
  done: 'statusDone',
  cancelled: 'statusCancelled',
};

/**
 * A task in a list: its facts in a line, each of them a control. Of few elements, since each takes time of a list that comes: marks are
 * drawn by styles, and what they say is in labels.
 */
export const TaskRow = memo(function TaskRow(props: TaskRowProps) {
  const { task, name, assignee, initial, isAgent, isAtWork, date, depth, isCurrent, isRenaming, actions } =
    props;
  const { isEditable, isMovable, openCell } = props;
  const { id, title, priority, status, current_stage, sync } = task;
  const tabIndex = isCurrent ? 0 : -1;
  const control = (cell: Cell, value: string) => ({
    type: 'button' as const,
    tabIndex,
    disabled: !isEditable,
    title: value,
    'aria-label': value,
    'aria-haspopup': 'menu' as const,
    'aria-expanded': openCell === cell || undefined,
    'data-cell': cell,
    onFocus: () => actions.onFocus(id),
    onClick: ({ currentTarget }: { currentTarget: Element }) => actions.onCell(task, cell, currentTarget),
  });
  return (
    <div className={`${styles.row} ${styles[status] ?? ''}`} data-task={id}>
      {isMovable && (
        <span
          className={styles.grip}
          aria-hidden="true"
          onPointerDown={(event) => actions.onGrip(task, event)}
        />
      )}
      <button
        {...control('priority', `Priority: ${PRIORITY_LABELS[priority]}`)}
        className={`${styles.cell} ${styles[priority] ?? ''}`}
      >
        {priority === 'urgent' ? <Icon name="priorityUrgent" /> : <span className={styles.bars} />}
      </button>
      <span className={styles.key} dir="ltr">
        {name}
      </span>
      <button
        {...control('status', `Status: ${TASK_STATUS_LABELS[status]}`)}
        className={`${styles.cell} ${styles.status}`}
      >
        <Icon name={STATUS_ICONS[status]} />
      </button>
      <span className={styles.title} style={{ paddingInlineStart: `${Math.min(depth, 6) * 1.25}rem` }}>
        {isRenaming ? (
          <TitleField id={id} title={title} onDone={(typed) => actions.onRenamed(task, typed)} />
        ) : (
          <Link
            className={styles.link}
            href={routes.task(id)}
            tabIndex={tabIndex}
            title={title}
            dir="auto"
            onFocus={() => actions.onFocus(id)}
          >
            {depth > 0 && <span className="visually-hidden">Subtask: </span>}
            {title}
          </Link>
        )}
        <SyncMark sync={sync} />
      </span>
      <button
        {...control('stage', `Stage: ${stageLabel(current_stage)}`)}
        className={`${styles.cell} ${styles.stage}`}
      >
        {stageLabel(current_stage)}
      </button>
      <button
        {...control(
          'assignee',
          assignee !== null
            ? `Assignee: ${assignee}${isAtWork ? ', at work now' : ''}`
            : 'Nobody is assigned',
        )}
        className={`${styles.cell} ${styles.assignee}`}
      >
        <span
          className={`${styles.face} ${assignee === null ? styles.noFace : ''} ${isAgent ? styles.agent : ''}`}
        >
          {assignee !== null && initial}
        </span>
        {isAtWork && <span className={styles.alive} />}
      </button>
      {date !== null && <span className={styles.date}>{date}</span>}
    </div>
  );
});

interface TitleFieldProps {
  id: string;
  title: string;
  /** null: it stays as it was */
  onDone: (rename: Rename | null) => void;
}

/** The title as a field: Enter, and leaving it, save it; Escape does not. What is typed is a draft, as on the page of the task. */
function TitleField({ id, title, onDone }: TitleFieldProps) {
  const kept = useDraft(id, 'title');
  const [opened] = useState(title);
  const [isTyped, setTyped] = useState(false);
  const base = kept.draft?.base ?? opened;
  const typed = kept.draft?.text ?? title;
  const save = () => {
    const value = oneLine(typed);
    if (value === '' || value === title) kept.remove();
    onDone(value === '' || value === title ? null : { title: value, base });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') save();
    if (event.key === 'Escape') onDone(null);
  };
  return (
    <input
      // biome-ignore lint/a11y/noAutofocus: the person has just asked to edit it
      autoFocus
      className={styles.field}
      type="text"
      aria-label="Title"
      maxLength={500}
      dir="auto"
      value={typed}
      onChange={({ target }) => {
        setTyped(true);
        kept.write(target.value, base);
      }}
      onKeyDown={onKeyDown}
      // A title that was typed another time, and left with Escape, is saved by Enter alone.
      onBlur={() => (isTyped ? save() : onDone(null))}
    />
  );
}

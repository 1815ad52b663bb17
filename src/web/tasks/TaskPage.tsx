import { useDeferredValue, useState } from 'react';
import type { ContextPart } from '@/domain/contextLimits';
import type { TaskContext } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import { useMembers } from '../hooks/useMembers';
import { useMemoryBank } from '../hooks/useMemoryBank';
import { useMemoryBankNavigation } from '../hooks/useMemoryBankNavigation';
import { usePageTitle } from '../hooks/usePageTitle';
import { usePermissions } from '../hooks/usePermissions';
import { useListedTask } from '../hooks/useTaskLines';
import { KnowledgeSection } from '../knowledge/KnowledgeSection';
import { Breadcrumbs } from '../ui/Breadcrumbs';
import { ErrorNote } from '../ui/ErrorNote';
import { wordsOf } from '../ui/labels';
import { RoleNote } from '../ui/RoleNote';
import { ActivityFeed } from './ActivityFeed';
import { AgentView } from './AgentView';
import { Blocks, Dependencies } from './Dependencies';
import { practicesFirst } from './practicesFirst';
import { StageStepper } from './StageStepper';
import { Subtasks } from './Subtasks';
import { TaskConflict } from './TaskConflict';
import { TaskDescription } from './TaskDescription';
import { AbsentTask, TaskGone } from './TaskGone';
import { TaskMenu } from './TaskMenu';
import styles from './TaskPage.module.css';
import { TaskPreview } from './TaskPreview';
import { TaskProperties } from './TaskProperties';
import { TaskTitle } from './TaskTitle';

/** A task with its whole context. */
export function TaskPage({ id }: { id: string }) {
  const { context, isLoading, error, refreshContext, showMore } = useMemoryBank(id);
  const listed = useListedTask(id);
  const [last, setLast] = useState(context);
  // A person who deletes the task here goes elsewhere, and needs not to be told.
  const [isLeaving, setLeaving] = useState(false);
  if (context && context !== last) setLast(context);
  if (!context && isLeaving) return null;
  if (!context && last) return <TaskGone last={last} />;
  if (context) {
    return (
      <TaskView
        context={context}
        onRefresh={() => void refreshContext()}
        onMore={showMore}
        onLeaving={setLeaving}
      />
    );
  }
  if (isLoading) return listed ? <TaskPreview task={listed} /> : null;
  if (!error) return <AbsentTask id={id} />;
  return (
    <div className="page">
      <ErrorNote error={error} />
      <div className="actions">
        <button type="button" className="button" onClick={() => void refreshContext()}>
          Try again
        </button>
      </div>
    </div>
  );
}

interface TaskViewProps {
  context: TaskContext;
  onRefresh: () => void;
  onMore: (part: ContextPart) => void;
  onLeaving: (isLeaving: boolean) => void;
}

function TaskView({ context, onRefresh, onMore, onLeaving }: TaskViewProps) {
  const { task, workflow, project, missing, left_out } = context;
  const { trail, goUp } = useMemoryBankNavigation(context);
  const { nameOf } = useMembers(task.workspace_id);
  const { whyNot } = usePermissions(task.workspace_id);
  const [isContextShown, setContextShown] = useState(false);
  const isReadOnly = whyNot('tasks', 'update') !== null;
  // The parts further down come a frame later: a click shows the task at once.
  const isWhole = useDeferredValue(true, false);
  usePageTitle(`${nameOfTask(task, project)} ${task.title}`);

  const leave = async (work: () => Promise<void>) => {
    onLeaving(true);
    try {
      await work();
      goUp();
    } catch {
      // A toast has said why.
      onLeaving(false);
    }
  };
  return (
    <article className={`page ${styles.page}`}>
      <TaskConflict task={task} nameOf={nameOf} />
      <header className="page-header">
        <Breadcrumbs trail={trail} />
        <div className={styles.head}>
          <TaskTitle task={task} project={project} isReadOnly={isReadOnly} />
          <TaskMenu
            context={context}
            onShowContext={() => setContextShown(true)}
            onDelete={(work) => void leave(work)}
          />
        </div>
      </header>
      <RoleNote reasons={[whyNot('tasks', 'update'), whyNot('tasks', 'delete')]} />
      {missing.length > 0 && (
        <p className="note" role="note">
          <span>
            Not on this device yet: {missing.map(wordsOf).join(', ')}.{' '}
            <button type="button" className="link-button" onClick={onRefresh}>
              Get it from the server
            </button>
          </span>
        </p>
      )}
      <StageStepper task={task} workflow={workflow} activities={context.activities} />
      <div className={styles.columns}>
        <aside className={styles.properties} aria-label="About this task">
          <TaskProperties context={context} nameOf={nameOf} />
        </aside>
        <div className={styles.main}>
          <TaskDescription task={task} isReadOnly={isReadOnly} />
          {isWhole && (
            <>
              <Subtasks context={context} onMore={() => onMore('subtasks')} />
              <Dependencies context={context} onMore={() => onMore('dependencies')} />
              <Blocks task={task} />
              <ActivityFeed context={context} nameOf={nameOf} onMore={() => onMore('activities')} />
            </>
          )}
        </div>
        {isWhole && (
          <aside className={styles.knowledge} aria-label="Patterns and best practices">
            <KnowledgeSection
              title="Best practices"
              items={practicesFirst(context.best_practices, task.current_stage)}
              leftOut={left_out.best_practices}
              onMore={() => onMore('best_practices')}
            />
            <KnowledgeSection
              title="Patterns"
              items={context.patterns}
              leftOut={left_out.patterns}
              onMore={() => onMore('patterns')}
            />
          </aside>
        )}
      </div>
      {isContextShown && <AgentView context={context} onClose={() => setContextShown(false)} />}
    </article>
  );
}

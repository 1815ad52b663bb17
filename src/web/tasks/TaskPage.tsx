import type { ContextPart } from '@/domain/contextLimits';
import type { TaskContext } from '@/domain/entities';
import { useMembers } from '../hooks/useMembers';
import { useMemoryBank } from '../hooks/useMemoryBank';
import { useMemoryBankNavigation } from '../hooks/useMemoryBankNavigation';
import { usePermissions } from '../hooks/usePermissions';
import { KnowledgeSection } from '../knowledge/KnowledgeSection';
import { Markdown } from '../markdown/Markdown';
import { HeldPage } from '../shared/HeldPage';
import { Breadcrumbs } from '../ui/Breadcrumbs';
import { ErrorNote } from '../ui/ErrorNote';
import { wordsOf } from '../ui/labels';
import { RoleNote } from '../ui/RoleNote';
import { ActivityFeed } from './ActivityFeed';
import { Dependencies } from './Dependencies';
import { StageStepper } from './StageStepper';
import { Subtasks } from './Subtasks';
import { TaskActions } from './TaskActions';
import { TaskProperties } from './TaskProperties';

/** A task with its whole context. */
export function TaskPage({ id }: { id: string }) {
  const { context, isLoading, error, refreshContext, showMore } = useMemoryBank(id);
  if (context || !error) {
    return (
      <HeldPage key={id} found={context ?? (isLoading ? undefined : null)} what="task">
        {(shown) => <TaskView context={shown} onRefresh={() => void refreshContext()} onMore={showMore} />}
      </HeldPage>
    );
  }
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
}

function TaskView({ context, onRefresh, onMore }: TaskViewProps) {
  const { task, workflow, missing, left_out } = context;
  const { trail, goUp } = useMemoryBankNavigation(context);
  const { nameOf } = useMembers(task.workspace_id);
  const { whyNot } = usePermissions(task.workspace_id);

  return (
    <article className="page task-page">
      <header className="page-header">
        <Breadcrumbs trail={trail} />
        <div className="page-title">
          <h1>{task.title}</h1>
          <TaskActions context={context} onDeleted={() => goUp()} />
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
      <div className="task-columns-page">
        <div className="task-main">
          <section aria-labelledby="description-title">
            <div className="section-title">
              <h2 id="description-title">Description</h2>
            </div>
            {task.description ? (
              <Markdown text={task.description} />
            ) : (
              <p className="muted">Nothing is written here yet. Edit the task to say what has to be done.</p>
            )}
          </section>
          <Subtasks context={context} onMore={() => onMore('subtasks')} />
          <Dependencies context={context} onMore={() => onMore('dependencies')} />
          <ActivityFeed context={context} nameOf={nameOf} onMore={() => onMore('activities')} />
        </div>
        <aside className="task-aside" aria-label="About this task">
          <TaskProperties context={context} nameOf={nameOf} />
          <KnowledgeSection
            title="Patterns"
            items={context.patterns}
            leftOut={left_out.patterns}
            onMore={() => onMore('patterns')}
          />
          <KnowledgeSection
            title="Best practices"
            items={context.best_practices}
            leftOut={left_out.best_practices}
            onMore={() => onMore('best_practices')}
          />
        </aside>
      </div>
    </article>
  );
}

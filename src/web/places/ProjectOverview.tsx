import type { Project } from '@/domain/entities';
import { useKnowledge } from '../hooks/useKnowledge';
import { KnowledgeSection } from '../knowledge/KnowledgeSection';
import { Markdown } from '../markdown/Markdown';
import { EmptyState } from '../ui/EmptyState';

/** The knowledge about a project: its description, overview, patterns and best practices. */
export function ProjectOverview({ project }: { project: Project }) {
  const { description, overview } = project;
  const { patterns, practices } = useKnowledge(project.workspace_id, project.id);
  const stack = Array.isArray(project.tech_stack)
    ? project.tech_stack.filter((name) => typeof name === 'string')
    : [];
  const isEmpty = !description && !overview && patterns.length + practices.length === 0;
  return (
    <>
      {isEmpty && (
        <EmptyState title="Nothing is written about this project yet.">
          <p>Edit the project to say what everybody who works on it should know.</p>
        </EmptyState>
      )}
      {description && (
        <p className="lead" dir="auto">
          {description}
        </p>
      )}
      {stack.length > 0 && (
        <p className="facts">
          {stack.map((name) => (
            <span key={name} className="chip">
              {name}
            </span>
          ))}
        </p>
      )}
      {overview && (
        <section aria-labelledby="overview-title">
          <div className="section-title">
            <h2 id="overview-title">Overview</h2>
          </div>
          <Markdown text={overview} />
        </section>
      )}
      <KnowledgeSection title="Patterns" items={patterns} />
      <KnowledgeSection title="Best practices" items={practices} />
    </>
  );
}

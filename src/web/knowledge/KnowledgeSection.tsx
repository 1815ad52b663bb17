import { useId, useState } from 'react';
import type { LeftOut } from '@/domain/contextLimits';
import type { BestPractice, Pattern } from '@/domain/entities';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { Markdown } from '../markdown/Markdown';
import { wordsOf } from '../ui/labels';
import { ShowMore } from '../ui/ShowMore';
import { JsonContent } from './JsonContent';

interface KnowledgeSectionProps {
  title: string;
  items: (Pattern | BestPractice)[];
  leftOut?: LeftOut;
  onMore?: () => void;
}

/** Patterns or best practices, each in a disclosure; nothing when there are none. */
export function KnowledgeSection({ title, items, leftOut, onMore }: KnowledgeSectionProps) {
  const titleId = useId();
  if (items.length === 0 && !leftOut) return null;
  return (
    <section aria-labelledby={titleId}>
      <div className="section-title">
        <h2 id={titleId}>{title}</h2>
      </div>
      <ul className="knowledge">
        {items.map((item) => (
          <li key={item.id}>
            <Item item={item} />
          </li>
        ))}
      </ul>
      {onMore && (
        <ShowMore
          noun={title.toLowerCase()}
          shown={items.length}
          all={leftOut?.all ?? null}
          onMore={onMore}
        />
      )}
    </section>
  );
}

/** Its content is made when it is opened: a crowded task has hundreds of them. */
function Item({ item }: { item: Pattern | BestPractice }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span>{item.name}</span>
        <span className="muted small">
          {wordsOf('pattern_type' in item ? item.pattern_type : item.category)} · {reachOf(item)}
        </span>
      </summary>
      {isOpen && item.description && <Markdown text={item.description} />}
      {isOpen && <JsonContent content={item.content} />}
    </details>
  );
}

function reachOf(item: Pattern | BestPractice): string {
  if (item.workspace_id === GLOBAL_SCOPE_ID) return 'everywhere';
  return item.project_id === null ? 'this workspace' : 'this project';
}

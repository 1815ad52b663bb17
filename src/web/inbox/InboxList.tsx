import { type KeyboardEvent, memo, useLayoutEffect, useRef } from 'react';
import { Link } from 'wouter';
import type { InboxReview } from '@/domain/inbox';
import { usePeople } from '../hooks/usePeople';
import { tableNoun } from '../shared/recordText';
import { describeRefusal } from '../ui/errorText';
import { Icon } from '../ui/Icon';
import { stageLabel } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { ROW } from './focusedRow';
import styles from './InboxList.module.css';
import { type InboxItem, type InboxSection, nameOfItem } from './items';
import { columnsText } from './rowText';

interface InboxListProps {
  sections: readonly InboxSection[];
  selected: InboxItem | undefined;
  /** The item is shown beside the list: a row that arrows lead to is opened. */
  followsFocus: boolean;
  onOpen: (item: InboxItem) => void;
  showsTeam: boolean;
  onTeam: (isShown: boolean) => void;
}

/** The items of the inbox by kind. Arrows move from row to row. */
export function InboxList({ sections, selected, followsFocus, onOpen, showsTeam, onTeam }: InboxListProps) {
  const { nameOf } = usePeople();
  const chosen = selected && nameOfItem(selected);
  useFocusOnOpen(chosen);
  const moveFocus = (event: KeyboardEvent<HTMLElement>) => {
    const row = rowAfter(event);
    if (!row) return;
    event.preventDefault();
    row.focus();
    if (followsFocus) row.click();
  };
  return sections.map(({ title, items, isOthers }) => (
    <section key={title} aria-label={title} className={styles.section}>
      <h2 className={styles.title}>
        {isOthers ? (
          <button
            type="button"
            className={styles.fold}
            aria-expanded={showsTeam}
            onClick={() => onTeam(!showsTeam)}
          >
            <Icon name={showsTeam ? 'chevronDown' : 'chevronRight'} />
            {title}
            <span className={styles.number}>{items.length}</span>
          </button>
        ) : (
          <>
            {title}
            <span className={styles.number}>{items.length}</span>
          </>
        )}
      </h2>
      {(showsTeam || !isOthers) && (
        <ul onKeyDown={moveFocus}>
          {items.map((item) => {
            const name = nameOfItem(item);
            return (
              <Row
                key={name}
                item={item}
                who={nameOf(authorOf(item))}
                isSelected={name === chosen}
                onOpen={onOpen}
              />
            );
          })}
        </ul>
      )}
    </section>
  ));
}

interface RowProps {
  item: InboxItem;
  who: string;
  isSelected: boolean;
  onOpen: (item: InboxItem) => void;
}

const Row = memo(function Row({ item, who, isSelected, onOpen }: RowProps) {
  const { key, title, detail } = textOf(item, who);
  return (
    <li>
      <Link
        href={`?at=${nameOfItem(item)}`}
        className={styles.row}
        {...{ [ROW]: nameOfItem(item) }}
        aria-current={isSelected ? 'true' : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          onOpen(item);
        }}
      >
        <span className={styles.first}>
          {key !== null && <span className={styles.key}>{key}</span>}
          <span className={styles.name} dir="auto">
            {title}
          </span>
        </span>
        <span className={styles.second}>
          <span className={styles.detail} dir="auto">
            {detail}
          </span>
          <span className={styles.age}>
            <TimeAgo time={item.at} />
          </span>
        </span>
      </Link>
    </li>
  );
});

function authorOf(item: InboxItem): string | null {
  switch (item.kind) {
    case 'review':
    case 'team':
      return askedBy(item.review);
    case 'question':
    case 'mention':
      return item.entry.author_id;
    default:
      return null;
  }
}

/** The user who asked for the review, or else works on the task. */
const askedBy = ({ request, task }: InboxReview) =>
  request?.requested_by ?? task.claimed_by ?? task.assignee_id;

function textOf(item: InboxItem, who: string): { key: string | null; title: string; detail: string } {
  switch (item.kind) {
    case 'review':
    case 'team': {
      const { task, request } = item.review;
      const by = askedBy(item.review) === null ? '' : ` · ${who}`;
      const asked = request === null ? ' · nobody has asked for a review' : '';
      return { key: task.key, title: task.title, detail: `${stageLabel(task.current_stage)}${by}${asked}` };
    }
    case 'question':
    case 'mention': {
      const { task, text } = item.entry;
      return { key: task.key, title: task.title, detail: `${who}: ${text}` };
    }
    case 'conflict':
      return {
        key: null,
        title: item.conflict.name || `A ${tableNoun(item.conflict.table)}`,
        detail: `Two edits of its ${columnsText(item.conflict)} have met`,
      };
    case 'loss':
      return {
        key: null,
        title: item.loss.name || `A ${tableNoun(item.loss.table)}`,
        detail: 'Deleted while you had edited it',
      };
    case 'refusal': {
      const [first, ...more] = item.refusals;
      const name = first?.name || `A ${tableNoun(first?.table ?? 'tasks')}`;
      return {
        key: null,
        title: more.length > 0 ? `${name} and ${more.length} more` : name,
        detail: first ? describeRefusal(first).headline : '',
      };
    }
  }
}

/** @returns the row that an arrow leads to */
function rowAfter(event: KeyboardEvent<HTMLElement>): HTMLElement | undefined {
  const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const list = event.currentTarget.closest('section')?.parentElement;
  const rows = [...(list?.querySelectorAll<HTMLElement>(`[${ROW}]`) ?? [])];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  return by === 0 || at < 0 ? undefined : rows[at + by];
}

/** Keeps the focus on the row of the open item where it is on a row: J and K, and a row that has gone, open others. */
function useFocusOnOpen(chosen: string | undefined): void {
  const wasOnRow = useRef(false);
  useLayoutEffect(() => {
    const note = ({ target }: Event) => {
      // A section takes the focus of a row that has gone.
      if (!(target instanceof HTMLElement) || target.querySelector(`[${ROW}]`)) return;
      wasOnRow.current = target.hasAttribute(ROW);
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
  useLayoutEffect(() => {
    const { activeElement } = document;
    if (chosen === undefined || !wasOnRow.current) return;
    const isFree = activeElement === document.body || activeElement?.querySelector(`[${ROW}]`);
    if (!isFree && activeElement?.hasAttribute(ROW) !== true) return;
    document.querySelector<HTMLElement>(`[${ROW}="${CSS.escape(chosen)}"]`)?.focus();
  }, [chosen]);
}

import type { ReactNode } from 'react';
import { TASK_PRIORITIES, TASK_STATUSES } from '@/domain/vocabulary';
import { Icon } from '../../ui/Icon';
import { PRIORITY_LABELS, stageLabel, TASK_STATUS_LABELS } from '../../ui/labels';
import { Menu } from '../../ui/Menu';
import styles from './ListToolbar.module.css';
import {
  type Filter,
  GROUPINGS,
  type Grouping,
  isUnfiltered,
  type ListView,
  SORTS,
  type Sort,
  toggled,
  withoutFilters,
} from './view';

const GROUPING_LABELS: Record<Grouping, string> = {
  none: 'No groups',
  stage: 'Stage',
  milestone: 'Milestone',
  assignee: 'Assignee',
  status: 'Status',
};

const SORT_LABELS: Record<Sort, string> = {
  hand: 'By hand',
  priority: 'Priority',
  target: 'Target date',
  updated: 'Last changed',
  title: 'Title',
};

export interface Choice {
  value: string;
  label: string;
}

interface ListToolbarProps {
  view: ListView;
  onView: (view: ListView) => void;
  stages: readonly string[];
  assignees: readonly Choice[];
  shown: number;
  total: number;
  children: ReactNode;
}

/** Filters, grouping and sorting of a list, and the number of its tasks. */
export function ListToolbar({ view, onView, stages, assignees, shown, total, children }: ListToolbarProps) {
  const filter = (name: Filter, label: string, choices: readonly Choice[]) => (
    <FilterChip
      label={label}
      choices={choices}
      chosen={view[name]}
      onChosen={(values) => onView({ ...view, [name]: values })}
    />
  );
  return (
    <div className={styles.toolbar}>
      <search className={styles.filters} aria-label="Filter tasks">
        <input
          type="search"
          aria-label="Find by key or title"
          placeholder="Find by key or title"
          value={view.text}
          onChange={(event) => onView({ ...view, text: event.target.value })}
        />
        {filter(
          'status',
          'Status',
          TASK_STATUSES.map((value) => ({ value, label: TASK_STATUS_LABELS[value] })),
        )}
        {filter(
          'stage',
          'Stage',
          stages.map((value) => ({ value, label: stageLabel(value) })),
        )}
        {filter('assignee', 'Assignee', assignees)}
        {filter(
          'priority',
          'Priority',
          TASK_PRIORITIES.toReversed().map((value) => ({ value, label: PRIORITY_LABELS[value] })),
        )}
        {!isUnfiltered(view) && (
          <button
            type="button"
            className={styles.chip}
            aria-label="Show all tasks"
            title="Show all tasks"
            onClick={() => onView(withoutFilters(view))}
          >
            <Icon name="close" />
          </button>
        )}
      </search>
      <div className={styles.order}>
        <Menu
          label={`Group: ${GROUPING_LABELS[view.group]}`}
          className={styles.chip}
          groups={[
            GROUPINGS.map((group) => ({
              label: GROUPING_LABELS[group],
              isChosen: view.group === group,
              onSelect: () => onView({ ...view, group }),
            })),
          ]}
        >
          <span className={styles.what}>Group:</span> {GROUPING_LABELS[view.group]}
        </Menu>
        <Menu
          label={`Sort: ${SORT_LABELS[view.sort]}`}
          className={styles.chip}
          groups={[
            SORTS.map((sort) => ({
              label: SORT_LABELS[sort],
              isChosen: view.sort === sort,
              onSelect: () => onView({ ...view, sort }),
            })),
          ]}
        >
          <span className={styles.what}>Sort:</span> {SORT_LABELS[view.sort]}
        </Menu>
        <span className={styles.count} role="status">
          {shown === total
            ? `${total.toLocaleString('en')} in all`
            : `${shown.toLocaleString('en')} of ${total.toLocaleString('en')}`}
        </span>
        {children}
      </div>
    </div>
  );
}

interface FilterChipProps {
  label: string;
  choices: readonly Choice[];
  chosen: readonly string[];
  onChosen: (values: readonly string[]) => void;
}

/** A filter: without values it lets every task through. */
function FilterChip({ label, choices, chosen, onChosen }: FilterChipProps) {
  const names = chosen.map((value) => choices.find((choice) => choice.value === value)?.label ?? value);
  const text = names.length === 0 ? label : `${label}: ${names.length > 1 ? names.length : names[0]}`;
  return (
    <Menu
      // Its visible words first: people who speak to the computer say them.
      label={
        names.length === 0 ? `${label}: any` : names.length === 1 ? text : `${text} (${names.join(', ')})`
      }
      className={`${styles.chip} ${names.length > 0 ? styles.chosen : ''}`}
      groups={[
        choices.map(({ value, label: name }) => ({
          label: name,
          isToggled: chosen.includes(value),
          onSelect: () => onChosen(toggled(chosen, value)),
        })),
        names.length > 0 ? [{ label: `Any ${label.toLowerCase()}`, onSelect: () => onChosen([]) }] : [],
      ]}
    >
      <span className={styles.value}>
        {names.length === 1 ? (
          <>
            <span className={styles.what}>{label}: </span>
            {names[0]}
          </>
        ) : (
          text
        )}
      </span>
      <Icon name="chevronDown" />
    </Menu>
  );
}

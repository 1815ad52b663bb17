import {
  type KeyboardEvent,
  type ReactNode,
  useDeferredValue,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { Milestone, Project } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import { isLive } from '@/domain/ready';
import type { Observed, TaskLine } from '@/lib/watermelon';
import { usePageActions } from '../actions/pageActions';
import type { TaskLines } from '../hooks/useTaskLines';
import { EmptyState } from '../ui/EmptyState';
import { dayText } from '../ui/formValues';
import { Icon } from '../ui/Icon';
import { MenuAt } from '../ui/Menu';
import { toasts } from '../ui/toasts';
import { useNow } from '../ui/useNow';
import { CELL_NAMES, cellMenu } from './list/cellMenus';
import { ListToolbar } from './list/ListToolbar';
import { NewTaskRow } from './list/NewTaskRow';
import { type Pass, PassDialog } from './list/PassDialog';
import { placesFor } from './list/places';
import { useRowHeights } from './list/rowHeight';
import { firstRows, goesByFacts, listRows, siblingsOf } from './list/rows';
import { shownRows } from './list/shownRows';
import styles from './list/TaskList.module.css';
import { type Cell, type RowActions, type RowTexts, TaskRow } from './list/TaskRow';
import { useDragOrder } from './list/useDragOrder';
import { useListFacts } from './list/useListFacts';
import { useListView } from './list/useListView';
import { type NewTasks, useNewTask } from './list/useNewTask';
import { useRename } from './list/useRename';
import { useTaskEdits } from './list/useTaskEdits';
import { useVirtualRows, VirtualList } from './list/VirtualRows';
import { firstBy, type ListView, NOBODY, withoutFilters } from './list/view';

type ListedTask = Observed<TaskLine>;

interface TaskListProps {
  /** Names the list, for the draft of a new task. */
  list: string;
  lines: TaskLines;
  /** In their order. */
  milestones: readonly Milestone[];
  projects: readonly Project[];
  workspaceIds: readonly string[];
  /** The view where the address says nothing. */
  usual: ListView;
  newTasks: NewTasks;
  /** It is of all projects of the user. */
  isOfAll?: boolean;
  /** The row for a new task is open at first. */
  isAdding?: boolean;
  /** In place of rows where there is no task. */
  empty: ReactNode;
}

/** A list of tasks, of a milestone, a project or a person. Only the rows in view are rendered, so thousands cost as little as a screenful. */
export function TaskList(props: TaskListProps) {
  const { list, lines, milestones, usual, newTasks, empty } = props;
  const { tasks, first } = lines;
  const isWhole = first === null;
  const [view, setView] = useListView(usual);
  const deferred = useDeferredValue(view);
  // The beginning of another view says nothing about this one, which is shown as soon as the list is whole.
  const isOther = first !== null && first.column !== firstBy(deferred);
  const isAcross = props.isOfAll === true;
  const { facts, teams, projectOf, workflowOf, userId } = useListFacts({ ...props, isAcross });
  const { edit, order } = useTaskEdits();
  const now = useNow();
  const heights = useRowHeights();

  // Thousands of rows are not put in order anew for names that come later and that their order does not depend on.
  const ordering = goesByFacts(deferred) ? facts : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: see `ordering`
  const rows = useMemo(
    () => (isOther ? [] : firstRows(listRows(tasks, deferred, facts), first)),
    [tasks, first, isOther, deferred, ordering],
  );
  const [currentId, setCurrent] = useState<string | null>(null);
  const [menu, setMenu] = useState<{ id: string; cell: Cell; anchor: Element } | null>(null);
  const [past, setPast] = useState<Pass | null>(null);
  /** The task whose row is to have the focus as soon as it is there. */
  const wanted = useRef<string | null>(null);
  const element = useRef<HTMLUListElement>(null);

  const adding = useNewTask({
    newTasks,
    rows,
    isWhole,
    view: deferred,
    facts,
    workflowOf,
    isAdding: props.isAdding === true,
    onCreated: (id, another) => {
      if (!another) wanted.current = id;
    },
  });
  const shown = useMemo(() => shownRows(rows, adding.adding), [rows, adding.adding]);
  const indexOf = useMemo(() => new Map(shown.map(({ key }, index) => [key, index])), [shown]);
  const renaming = useRename(edit, (id) => !isWhole || indexOf.has(id));
  const taskRows = useMemo(() => shown.filter(({ kind }) => kind === 'task'), [shown]);
  const current = shown[indexOf.get(currentId ?? '') ?? -1]?.task ?? null;
  const stop = current ?? taskRows[0]?.task ?? null;
  const newIndex = indexOf.get('new') ?? -1;
  const kept = [indexOf.get(currentId ?? '') ?? -1, newIndex, indexOf.get(wanted.current ?? '') ?? -1];
  const virtual = useVirtualRows({ list: element, rows: shown, heights, kept });

  // A new row, and one that is to have the focus, are scrolled to.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it moves with the tasks that are made above it
  useLayoutEffect(() => {
    if (newIndex >= 0) virtual.scrollToIndex(newIndex, { align: 'auto' });
  }, [newIndex]);
  useLayoutEffect(() => {
    const id = wanted.current;
    const index = indexOf.get(id ?? '');
    if (id === null || index === undefined) return;
    const link = rowOf(id)?.querySelector<HTMLElement>('a');
    if (!link) return;
    wanted.current = null;
    virtual.scrollToIndex(index, { align: 'auto' });
    link.focus({ preventScroll: true });
  });

  const rowOf = (id: string) => element.current?.querySelector(`[data-task="${CSS.escape(id)}"]`);
  const focus = (id: string | undefined) => {
    if (id === undefined) return;
    wanted.current = id;
    setCurrent(id);
  };
  const step = (by: number) => {
    const at = taskRows.findIndex(({ key }) => key === currentId);
    focus(taskRows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), taskRows.length - 1)]?.key);
  };
  const rightsOf = ({ workspace_id }: TaskLine) => teams.permissionsIn(workspace_id);
  const isKnown = (task: TaskLine) => rightsOf(task).isKnown;
  const isEditable = (task: TaskLine) => rightsOf(task).whyNot('tasks', 'update') === null;
  const openCell = (cell: Cell) => {
    const anchor = current && rowOf(current.id)?.querySelector(`[data-cell="${cell}"]`);
    if (current && anchor && isEditable(current)) setMenu({ id: current.id, cell, anchor });
  };
  const rename = () => current && isEditable(current) && renaming.start(current.id);

  // Among those that stand first alone, nobody knows what comes after the last.
  const isByHand = deferred.sort === 'hand' && isWhole;
  /** Puts a task at a place among its siblings, itself not counted. */
  const moveTo = (id: string, at: number) => {
    const all = siblingsOf(rows, id).map(({ task }) => task);
    const task = all.find((one) => one.id === id);
    const others = all.filter((one) => one !== task);
    if (!task || !isEditable(task) || at < 0 || at > others.length || all[at] === task) return;
    const places = placesFor(id, others, at);
    const known = new Map(all.map((one) => [one.id, one.sort_order]));
    wanted.current = id;
    void order(
      task,
      places.map((place) => ({ ...place, expected: known.get(place.id) ?? 0 })),
    );
  };
  const moveBy = (by: number) => {
    if (!current) return;
    if (!isWhole) return;
    if (!isByHand) return void toasts.add({ title: 'Tasks are moved where the list is sorted by hand.' });
    moveTo(current.id, siblingsOf(rows, current.id).findIndex(({ task }) => task.id === current.id) + by);
  };
  const listTop = () => (element.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
  const startOf = (id: string) => virtual.measurementsCache[indexOf.get(id) ?? 0]?.start ?? 0;
  const drag = useDragOrder({
    siblings: (id) => {
      const tops = siblingsOf(rows, id)
        .filter(({ task }) => task.id !== id)
        .map(({ task }) => startOf(task.id));
      return { tops, end: (tops.at(-1) ?? startOf(id)) + heights.task, rowHeight: heights.task };
    },
    onDrop: moveTo,
  });

  const latest = useRef<RowActions>({} as RowActions);
  latest.current = {
    onFocus: setCurrent,
    onCell: ({ id }, cell, anchor) => setMenu({ id, cell, anchor }),
    onGrip: ({ id }, event) => isWhole && drag.start(id, event),
    onRenamed: (task, rename) => {
      renaming.end();
      wanted.current = task.id;
      if (rename) void renaming.save(task, rename);
    },
  };
  const actions = useMemo(
    (): RowActions => ({
      onFocus: (...args) => latest.current.onFocus(...args),
      onCell: (...args) => latest.current.onCell(...args),
      onGrip: (...args) => latest.current.onGrip(...args),
      onRenamed: (...args) => latest.current.onRenamed(...args),
    }),
    [],
  );

  const group = 'Tasks';
  usePageActions([
    { group, label: 'New task', keys: 'c', run: () => adding.open(current) },
    { group, label: 'Next task', keys: 'j', repeats: true, run: () => step(1) },
    { group, label: 'Previous task', keys: 'k', repeats: true, run: () => step(-1) },
    { group, label: 'Rename the task', keys: 'F2', run: rename },
    { group, label: 'Priority', keys: 'p', run: () => openCell('priority') },
    { group, label: 'Stage', keys: 's', run: () => openCell('stage') },
    { group, label: 'Status', keys: 'Shift+S', run: () => openCell('status') },
    { group, label: 'Assignee', keys: 'a', run: () => openCell('assignee') },
    { group, label: 'Move up by hand', keys: 'Alt+ArrowUp', isListedOnly: true, run: () => moveBy(-1) },
    { group, label: 'Move down by hand', keys: 'Alt+ArrowDown', isListedOnly: true, run: () => moveBy(1) },
  ]);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && event.altKey) moveBy(by);
    else if (by !== undefined) step(by);
    else if (event.key === 'Home') focus(taskRows[0]?.key);
    else if (event.key === 'End' && isWhole) focus(taskRows.at(-1)?.key);
    else return;
    event.preventDefault();
  };

  const textsOf = (task: ListedTask): RowTexts => {
    const { workspace_id, assignee_id, claimed_by } = task;
    const waits =
      workflowOf(task.workflow_id)?.stages.find(({ name }) => name === task.current_stage)?.is_checkpoint ===
      true;
    const isAtWork = isLive(task, waits, now);
    // An agent at work on a task of nobody is shown in the place of the assignee.
    const worker = assignee_id ?? (isAtWork ? claimed_by : null);
    const member = worker === null ? undefined : teams.memberOf(workspace_id, worker);
    const name = worker === null ? '' : teams.nameOf(workspace_id, worker);
    const date = facts.milestones.get(task.milestone_id)?.target_date ?? null;
    return {
      name: nameOfTask(task, projectOf(task.milestone_id)),
      assignee: worker === null ? null : name,
      initial: (member?.display_name || name).charAt(0).toUpperCase(),
      isAgent: member?.kind === 'agent',
      isAtWork,
      date: milestones.length === 1 && !isAcross ? null : date === null ? '' : dayText(date),
    };
  };

  const assignees = useMemo(() => {
    const ids = new Map(tasks.map((task) => [task.assignee_id ?? NOBODY, task]));
    return [...ids].map(([value, task]) => ({
      value,
      label: value === NOBODY ? 'Nobody' : facts.nameOf(task, value),
    }));
  }, [tasks, facts]);
  const inMenu = menu && shown[indexOf.get(menu.id) ?? -1]?.task;

  return (
    <>
      <ListToolbar
        view={view}
        onView={setView}
        stages={facts.stages}
        assignees={assignees}
        shown={isWhole ? taskRows.length : lines.total}
        total={lines.total}
      >
        <button
          type="button"
          className="button primary"
          disabled={newTasks.whyNot !== null}
          onClick={() => adding.open(current)}
        >
          <Icon name="plus" />
          New task
        </button>
      </ListToolbar>
      {tasks.length === 0 && !adding.adding && empty}
      {tasks.length > 0 && shown.length === 0 && !isOther && (
        <EmptyState title="No task matches.">
          <button type="button" className="button" onClick={() => setView(withoutFilters(view))}>
            Show all tasks
          </button>
        </EmptyState>
      )}
      {shown.length > 0 && (
        // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the links and buttons in it
        <div className={styles.list} onKeyDown={onKeyDown}>
          <VirtualList
            list={element}
            label="Tasks"
            rows={shown}
            virtual={virtual}
            missing={{ count: isWhole ? 0 : lines.total - taskRows.length, height: heights.task }}
          >
            {(index) => {
              const row = shown[index];
              if (row?.kind === 'new') {
                return (
                  <NewTaskRow
                    list={list}
                    place={adding.place}
                    input={adding.input}
                    onCreate={adding.create}
                    onClose={() => {
                      adding.close();
                      focus(stop?.id);
                    }}
                  />
                );
              }
              if (!row?.task) {
                return (
                  <div className={styles.group}>
                    <h2 dir="auto">{row?.label}</h2>
                    <span className="muted">{row?.size?.toLocaleString('en')}</span>
                  </div>
                );
              }
              return (
                <TaskRow
                  task={row.task}
                  depth={row.depth ?? 0}
                  isCurrent={row.task === stop}
                  isRenaming={renaming.id === row.key}
                  openCell={menu?.id === row.key ? menu.cell : undefined}
                  isEditable={isEditable(row.task)}
                  isMovable={deferred.sort === 'hand' && isKnown(row.task) && isEditable(row.task)}
                  actions={actions}
                  {...textsOf(row.task)}
                />
              );
            }}
          </VirtualList>
          {drag.line !== null && (
            <div className={styles.drop} style={{ transform: `translateY(${drag.line - listTop()}px)` }} />
          )}
        </div>
      )}
      {menu && inMenu && (
        <MenuAt
          label={`${CELL_NAMES[menu.cell]} of ${inMenu.title}`}
          anchor={menu.anchor}
          onClose={() => setMenu(null)}
          groups={cellMenu(inMenu, menu.cell, {
            userId,
            members: teams.membersOf(inMenu.workspace_id),
            stages: workflowOf(inMenu.workflow_id)?.stages ?? [],
            passesCheckpoints: rightsOf(inMenu).passesCheckpoints,
            onEdit: (changes, done) => void edit(inMenu, changes, done),
            onPast: (stage, passes) => setPast({ taskId: inMenu.id, stage, passes }),
          })}
        />
      )}
      {past && <PassDialog pass={past} onClose={() => setPast(null)} />}
    </>
  );
}

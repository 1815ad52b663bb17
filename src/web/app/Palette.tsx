import { Autocomplete } from '@base-ui/react/autocomplete';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { containsText } from '@/domain/search';
import { type PageAction, useAllActions } from '../actions/pageActions';
import { useFoundTasks } from '../hooks/useFoundTasks';
import { useQuery } from '../hooks/useQuery';
import { routes, taskAddress } from '../routes';
import { Dialog } from '../ui/Dialog';
import styles from './Palette.module.css';

interface Choice {
  id: string;
  label: string;
  /** Before the label: the key of a task, or what kind of place it is. */
  mark: string | null;
  run: () => void;
}

interface ChoiceGroup {
  value: string;
  items: Choice[];
}

const MOST_TASKS = 12;
const MOST_PLACES = 8;

/** Jumps to a task by its key or the words of its title, in any order, to any place, and runs the actions of the page. */
export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [, navigate] = useLocation();
  const tasks = useFoundTasks({ text, most: MOST_TASKS, isAsked: text.trim() !== '' });
  const actions = useAllActions();
  const places = usePlaces();
  const groups = useMemo((): ChoiceGroup[] => {
    const go = (href: string) => () => navigate(href);
    const fits = (name: string) => containsText(name, text);
    const all: ChoiceGroup[] = [
      {
        value: 'Tasks',
        items: (text.trim() === '' ? [] : tasks).map((task) => ({
          id: task.id,
          label: task.title,
          mark: task.key,
          run: go(taskAddress(task)),
        })),
      },
      {
        value: 'Places',
        items: places
          .filter(({ name }) => fits(name))
          .slice(0, MOST_PLACES)
          .map(({ name, kind, href }) => ({ id: href, label: name, mark: kind, run: go(href) })),
      },
      { value: 'Actions', items: actionsOf(actions).filter(({ label }) => fits(label)) },
    ];
    return all.filter(({ items }) => items.length > 0);
  }, [text, tasks, places, actions, navigate]);

  const choose = (choice: Choice) => {
    onClose();
    // After the dialog has gone, so that what opens next gets the focus.
    setTimeout(choice.run);
  };
  return (
    <Dialog title="Go to, or do" onClose={onClose}>
      <Autocomplete.Root
        open
        inline
        mode="none"
        items={groups}
        value={text}
        onValueChange={setText}
        itemToStringValue={(choice: Choice) => choice.label}
        autoHighlight="always"
        keepHighlight
      >
        <Autocomplete.Input
          className={styles.input}
          placeholder="A key, words of a title, a place or an action"
          aria-label="Search"
        />
        <Autocomplete.Empty className={styles.empty}>Nothing here is called so.</Autocomplete.Empty>
        <Autocomplete.List className={styles.list} tabIndex={0} aria-label="Found">
          {(group: ChoiceGroup) => (
            <Autocomplete.Group key={group.value} items={group.items}>
              <Autocomplete.GroupLabel className={styles.group}>{group.value}</Autocomplete.GroupLabel>
              <Autocomplete.Collection>
                {(choice: Choice) => (
                  <Autocomplete.Item
                    key={choice.id}
                    value={choice}
                    className={styles.item}
                    onClick={() => choose(choice)}
                  >
                    {choice.mark !== null && <span className={styles.mark}>{choice.mark}</span>}
                    <span className={styles.label} dir="auto">
                      {choice.label}
                    </span>
                  </Autocomplete.Item>
                )}
              </Autocomplete.Collection>
            </Autocomplete.Group>
          )}
        </Autocomplete.List>
      </Autocomplete.Root>
    </Dialog>
  );
}

function actionsOf(actions: readonly PageAction[]): Choice[] {
  return actions
    .filter(({ isListedOnly, label }) => isListedOnly !== true && label !== PALETTE_LABEL)
    .map(({ label, run }) => ({ id: `action:${label}`, label, mark: null, run }));
}

/** Of the action that opens the palette, which does not offer itself. */
const PALETTE_LABEL = 'Go to, or do';

function usePlaces() {
  const workspaces = useQuery('workspaces');
  const projects = useQuery('projects');
  const milestones = useQuery('milestones');
  return useMemo(
    () => [
      { name: 'Inbox', kind: null, href: routes.inbox() },
      { name: 'My tasks', kind: null, href: routes.myTasks() },
      { name: 'Agents', kind: null, href: routes.agents() },
      { name: 'Workspaces', kind: null, href: routes.workspaces() },
      { name: 'Sync', kind: null, href: routes.sync() },
      ...(projects ?? []).map(({ id, name }) => ({ name, kind: 'Project', href: routes.project(id) })),
      ...(milestones ?? []).map(({ id, name }) => ({ name, kind: 'Milestone', href: routes.milestone(id) })),
      ...(workspaces ?? []).map(({ id, name }) => ({ name, kind: 'Workspace', href: routes.workspace(id) })),
    ],
    [workspaces, projects, milestones],
  );
}

import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { usePageActions } from '../actions/pageActions';
import { useDevice } from '../hooks/useDevice';
import { useInbox, waitingIn } from '../hooks/useInbox';
import { usePageTitle } from '../hooks/usePageTitle';
import { useCount } from '../hooks/useQuery';
import { ReceivedInvitations } from '../places/ReceivedInvitations';
import { routes } from '../routes';
import { EmptyState } from '../ui/EmptyState';
import { Icon } from '../ui/Icon';
import { later } from '../ui/later';
import { Menu } from '../ui/Menu';
import { AgentsAtWork } from './AgentsAtWork';
import { InboxList } from './InboxList';
import styles from './InboxPage.module.css';
import { type InboxItem, sectionsOf } from './items';
import { useNotifications } from './notifications';
import { taskOfItem } from './rowText';
import { useSelectedItem } from './useSelectedItem';

// People who have a workspace do not see it here.
const WorkspacesPage = later(async () => (await import('../places/WorkspacesPage')).WorkspacesPage);
// What an item needs to be shown, such as differences of texts, is not needed for the list.
const ItemPane = later(async () => (await import('./ItemPane')).ItemPane);

/** The first page: what waits for the user; for whoever has no workspace yet, how to get one. */
export function InboxPage() {
  const workspaces = useCount('workspaces', {});
  if (workspaces === undefined) return null;
  return workspaces === 0 ? <WorkspacesPage /> : <Inbox />;
}

/** The inbox, of all workspaces: a list, and the item that is open. */
function Inbox() {
  usePageTitle('Inbox');
  const { hasAccount } = useDevice();
  const inbox = useInbox();
  const notifications = useNotifications();
  const [showsTeam, setShowsTeam] = useState(false);
  const sections = useMemo(() => (inbox ? sectionsOf(inbox) : []), [inbox]);
  const items = useMemo(
    () => sections.filter(({ isOthers }) => showsTeam || !isOthers).flatMap((section) => section.items),
    [sections, showsTeam],
  );
  const all = useMemo(() => sections.flatMap((section) => section.items), [sections]);
  const { selected, isSettled, open, step, isBeside } = useSelectedItem(items, all, inbox !== undefined);
  const [, navigate] = useLocation();
  const taskId = selected ? taskOfItem(selected) : null;
  usePageActions([
    { label: 'Next item', keys: 'j', repeats: true, run: () => step(1) },
    { label: 'Previous item', keys: 'k', repeats: true, run: () => step(-1) },
    ...(taskId === null
      ? []
      : [{ label: 'Open its task', keys: 'o', run: () => navigate(routes.task(taskId)) }]),
  ]);
  if (!inbox) return null;

  return (
    <div className={`${styles.inbox} ${selected ? styles.hasOpen : ''}`}>
      <section className={styles.list} aria-label="What waits for you">
        <header className={styles.header}>
          <h1>Inbox</h1>
          {notifications.offers && (
            <Menu
              label="Inbox settings"
              groups={[
                [
                  {
                    label: 'Notify me of what comes in',
                    isToggled: notifications.areOn,
                    whyNot: notifications.whyNot,
                    onSelect: () => void notifications.toggle(),
                  },
                ],
              ]}
            />
          )}
        </header>
        {hasAccount && <ReceivedInvitations />}
        {waitingIn(inbox) === 0 && <NothingWaits />}
        <InboxList
          sections={sections}
          selected={selected}
          followsFocus={isBeside}
          onOpen={(item: InboxItem) => open(item)}
          showsTeam={showsTeam}
          onTeam={setShowsTeam}
        />
        {inbox.is_cut && (
          <p className={styles.cut}>
            More waits than is shown here. It comes up as you work through the list.
          </p>
        )}
      </section>
      {selected && (
        <section className={styles.pane} aria-label="The open item">
          {!isBeside && <h1 className="visually-hidden">Inbox</h1>}
          {!isBeside && (
            <button type="button" className="button quiet" onClick={() => history.back()}>
              <Icon name="chevronLeft" />
              Inbox
            </button>
          )}
          <ItemPane item={selected} isSettled={isSettled} />
        </section>
      )}
    </div>
  );
}

function NothingWaits() {
  return (
    <EmptyState title="Nothing waits for you.">
      <AgentsAtWork />
    </EmptyState>
  );
}

import { Link, useLocation } from 'wouter';
import { useInbox, waitingIn } from '../hooks/useInbox';
import { routes } from '../routes';
import { Icon, type IconName } from '../ui/Icon';
import styles from './TabBar.module.css';

const TABS: readonly { href: string; name: string; icon: IconName; isHere: RegExp }[] = [
  { href: routes.inbox(), name: 'Inbox', icon: 'inbox', isHere: /^\/$/ },
  { href: routes.myTasks(), name: 'My tasks', icon: 'tasks', isHere: /^\/my-tasks/ },
  { href: routes.agents(), name: 'Agents', icon: 'agent', isHere: /^\/agents/ },
  {
    href: routes.workspaces(),
    name: 'Workspaces',
    icon: 'project',
    isHere: /^\/(workspaces|projects|milestones|tasks)/,
  },
];

/** The navigation on phones, at the bottom of the screen. */
export function TabBar() {
  const [location] = useLocation();
  const waiting = waitingIn(useInbox());
  return (
    <nav className={styles.bar} aria-label="Main">
      {TABS.map(({ href, name, icon, isHere }) => (
        <Link
          key={href}
          href={href}
          className={styles.tab}
          aria-current={isHere.test(location) ? 'page' : undefined}
        >
          <Icon name={icon} />
          <span>{name}</span>
          {icon === 'inbox' && waiting > 0 && <span className={styles.count}>{waiting}</span>}
        </Link>
      ))}
    </nav>
  );
}

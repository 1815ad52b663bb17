import { CSPProvider } from '@base-ui/react/csp-provider';
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Link } from 'wouter';
import type { SignOutOptions, SignOutResult } from '@/lib/watermelon';
import { usePageActions } from '../actions/pageActions';
import { undoLatest } from '../actions/undo';
import { useAskBeforeClosing } from '../hooks/useAskBeforeClosing';
import { InboxContext, useObservedInbox, waitingIn } from '../hooks/useInbox';
import { useKeptFocus } from '../hooks/useKeptFocus';
import { useTitleCount } from '../hooks/usePageTitle';
import { useRequestPersistence } from '../hooks/usePersistentStorage';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { useNotifyOfInbox } from '../inbox/notifications';
import { routes } from '../routes';
import type { User } from '../session/session';
import { TakeAlong } from '../session/TakeAlong';
import { StatusLine } from '../status/StatusLine';
import { StorageNotices } from '../status/StorageNotice';
import { Icon } from '../ui/Icon';
import { Logo } from '../ui/Logo';
import { fetchTheRest } from '../ui/later';
import { toasts } from '../ui/toasts';
import { AccountMenu } from './AccountMenu';
import { Palette, ShortcutSheet, SignOutDialog, Toaster } from './lazyScreens';
import { Sidebar } from './Sidebar';
import { TabBar } from './TabBar';
import { useHistoryPlaces } from './useHistoryPlaces';

interface ShellProps {
  /** null: the device is used without an account. */
  user: User | null;
  sessionEnded: boolean;
  isArrival: boolean;
  onLeave: (options: SignOutOptions) => Promise<SignOutResult>;
  onSignIn: () => Promise<void>;
  children: ReactNode;
}

/** Within the frame, since it reads the inbox. */
function Notifier() {
  useNotifyOfInbox();
  return null;
}

/** The frame of every screen: the bar with the sync status and the account, and the navigation. */
export function Shell({ user, sessionEnded, isArrival, onLeave, onSignIn, children }: ShellProps) {
  const [open, setOpen] = useState<'leave' | 'shortcuts' | 'palette' | null>(null);
  const main = useRef<HTMLElement>(null);
  const inbox = useObservedInbox();
  useTitleCount(waitingIn(inbox));
  useHistoryPlaces(main);
  useKeptFocus(main);
  useRequestPersistence();
  useAskBeforeClosing();
  const [isAllFetched, setAllFetched] = useState(false);
  // The first sync has the network for itself; and a page that waits for the database looks idle, and is not.
  const { kind, lastSyncedAt } = useSyncStatus();
  const isBusy = inbox === undefined || (kind === 'syncing' && lastSyncedAt === null);
  useEffect(() => (isBusy ? undefined : fetchTheRest(() => setAllFetched(true))), [isBusy]);
  const areToastsWanted = useSyncExternalStore(toasts.onWanted, toasts.areWanted);
  usePageActions([
    { group: 'Everywhere', label: 'Go to, or do', keys: '$mod+k', run: () => setOpen('palette') },
    { group: 'Everywhere', label: 'Undo', keys: '$mod+z', run: undoLatest },
    { group: 'Everywhere', label: 'Keyboard shortcuts', keys: 'Shift+?', run: () => setOpen('shortcuts') },
  ]);

  return (
    <CSPProvider disableStyleElements>
      <InboxContext value={inbox}>
        <div className="shell">
          <a className="skip-link" href="#main">
            Skip to the content
          </a>
          <header className="topbar">
            <Link className="home-link" href={routes.inbox()} aria-label="Convoy: your inbox">
              <Logo />
            </Link>
            <StatusLine sessionEnded={sessionEnded} onSignIn={() => void onSignIn()} />
            <div className="account">
              <button type="button" className="button quiet" onClick={() => setOpen('palette')}>
                <Icon name="search" />
                <span className="wide-only">Search</span>
                <span className="narrow-only visually-hidden">Search</span>
              </button>
              <AccountMenu
                user={user}
                onSignIn={() => void onSignIn()}
                onSignOut={() => setOpen('leave')}
                onShortcuts={() => setOpen('shortcuts')}
              />
            </div>
          </header>
          <Sidebar />
          <main id="main" ref={main} tabIndex={-1}>
            <StorageNotices />
            <TakeAlong isArrival={isArrival} />
            {children}
          </main>
          <TabBar />
          <Notifier />
          {(isAllFetched || areToastsWanted) && <Toaster />}
          {open === 'leave' && <SignOutDialog onClose={() => setOpen(null)} onLeave={onLeave} />}
          {open === 'palette' && <Palette onClose={() => setOpen(null)} />}
          {open === 'shortcuts' && <ShortcutSheet onClose={() => setOpen(null)} />}
        </div>
      </InboxContext>
    </CSPProvider>
  );
}

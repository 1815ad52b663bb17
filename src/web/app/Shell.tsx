import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { SignOutOptions, SignOutResult } from '@/lib/watermelon';
import { UndoNote } from '../deleted/UndoNote';
import { useAskBeforeClosing } from '../hooks/useAskBeforeClosing';
import { useKeptFocus } from '../hooks/useKeptFocus';
import { useRequestPersistence } from '../hooks/usePersistentStorage';
import { routes } from '../routes';
import { SignOutDialog } from '../session/SignOutDialog';
import type { User } from '../session/session';
import { TakeAlong } from '../session/TakeAlong';
import { StatusLine } from '../status/StatusLine';
import { StorageNotices } from '../status/StorageNotice';
import { Icon } from '../ui/Icon';
import { Logo } from '../ui/Logo';
import { Sidebar } from './Sidebar';

interface ShellProps {
  /** null: the device is used without an account. */
  user: User | null;
  sessionEnded: boolean;
  isArrival: boolean;
  onLeave: (options: SignOutOptions) => Promise<SignOutResult>;
  onSignIn: () => Promise<void>;
  children: ReactNode;
}

/** The frame of every screen: the bar with the sync status and the account, and the tree of places. */
export function Shell({ user, sessionEnded, isArrival, onLeave, onSignIn, children }: ShellProps) {
  const [isLeaving, setLeaving] = useState(false);
  const main = useRef<HTMLElement>(null);
  useFocusOnNavigation(main);
  useKeptFocus(main);
  useRequestPersistence();
  useAskBeforeClosing();

  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="topbar">
        <Link className="home-link" href={routes.home()} aria-label="Convoy: your workspaces">
          <Logo />
        </Link>
        <StatusLine sessionEnded={sessionEnded} onSignIn={() => void onSignIn()} />
        <div className="account">
          {user === null ? (
            <button type="button" className="button primary" onClick={() => void onSignIn()}>
              Sign in
            </button>
          ) : (
            <>
              <span className="account-name" title={user.email}>
                {user.email}
              </span>
              <button
                type="button"
                className="button quiet"
                onClick={() => setLeaving(true)}
                aria-label="Sign out"
              >
                <Icon name="signOut" />
                <span className="wide-only">Sign out</span>
              </button>
            </>
          )}
        </div>
      </header>
      <Sidebar />
      <main id="main" ref={main} tabIndex={-1}>
        <StorageNotices />
        <TakeAlong isArrival={isArrival} />
        {children}
      </main>
      <UndoNote />
      {isLeaving && <SignOutDialog onClose={() => setLeaving(false)} onLeave={onLeave} />}
    </div>
  );
}

/** Scrolls a new screen to its top and moves the focus there, for screen readers. */
function useFocusOnNavigation(main: { current: HTMLElement | null }) {
  const [location] = useLocation();
  const shown = useRef(location);
  useEffect(() => {
    if (shown.current === location) return;
    shown.current = location;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [location, main]);
}

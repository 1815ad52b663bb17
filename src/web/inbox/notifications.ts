/** Notifications of what comes into the inbox: on request, from one tab, and only while nobody looks at the page. */

import { useEffect, useRef, useState } from 'react';
import type { Inbox } from '@/domain/inbox';
import { useInbox } from '../hooks/useInbox';

const KEY = 'convoy.notifications';
/** The tab that holds this lock notifies. */
const LOCK = 'convoy.notifications';

function areWanted(): boolean {
  try {
    return localStorage.getItem(KEY) === 'on';
  } catch {
    return false;
  }
}

/** The choice of the person, for the menu of the inbox. */
export function useNotifications() {
  const offers = typeof Notification === 'function';
  const [areOn, setOn] = useState(() => offers && areWanted() && Notification.permission === 'granted');
  const isDenied = offers && Notification.permission === 'denied';
  return {
    offers,
    areOn,
    whyNot: isDenied ? 'Your browser does not allow it for this site.' : null,
    toggle: async () => {
      const on = !areOn && (await Notification.requestPermission()) === 'granted';
      try {
        localStorage.setItem(KEY, on ? 'on' : 'off');
      } catch {
        // Without storage the choice lasts as long as the page.
      }
      setOn(on);
    },
  };
}

/** Notifies of each new item for the user, from the first tab that was opened. */
export function useNotifyOfInbox(): void {
  const inbox = useInbox();
  const [isFirst, setFirst] = useState(false);
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    const ends = new AbortController();
    let release = () => {};
    navigator.locks
      ?.request(LOCK, { signal: ends.signal }, () => {
        setFirst(true);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      })
      // The wait for the lock ends with the page.
      .catch(() => undefined);
    return () => {
      ends.abort();
      release();
    };
  }, []);
  useEffect(() => {
    if (!inbox) return;
    const all = titlesOf(inbox);
    const before = known.current;
    known.current = new Set(all.keys());
    if (!isFirst || before === null || document.visibilityState === 'visible') return;
    if (typeof Notification !== 'function' || Notification.permission !== 'granted' || !areWanted()) return;
    for (const [id, title] of all) if (!before.has(id)) void notify(id, title);
  }, [inbox, isFirst]);
}

function titlesOf({ reviews, questions, mentions }: Inbox): Map<string, string> {
  return new Map([
    ...reviews.map(
      ({ task, request }) => [request?.id ?? task.id, `Waits for your approval: ${task.title}`] as const,
    ),
    ...questions.map(({ id, task }) => [id, `A question to you: ${task.title}`] as const),
    ...mentions.map(({ id, task }) => [id, `You are mentioned: ${task.title}`] as const),
  ]);
}

async function notify(tag: string, title: string) {
  try {
    // Phones take notifications from a service worker alone.
    const worker = await navigator.serviceWorker?.getRegistration();
    if (worker) await worker.showNotification('Convoy', { body: title, tag, icon: '/convoy-192.png' });
    else {
      const shown = new Notification('Convoy', { body: title, tag, icon: '/convoy-192.png' });
      shown.onclick = () => window.focus();
    }
  } catch {
    // The inbox itself tells it.
  }
}

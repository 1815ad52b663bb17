/** The state of this device in one line, for people. Pure, so that it can be tested word by word. */

import { count } from '@/core/count';
import { reactionTo } from '@/core/errors';
import type { SyncStatus } from '@/lib/watermelon';
import { describeDetail } from '../ui/errorText';
import { timeAgo } from '../ui/TimeAgo';

export interface StatusText {
  tone: 'ok' | 'busy' | 'waiting' | 'offline' | 'error';
  headline: string;
  detail: string | null;
  /** Nothing can be synced until the user signs in again. */
  needsSignIn: boolean;
}

/** The line of a device that is used without an account. */
export const WITHOUT_ACCOUNT: StatusText = {
  tone: 'offline',
  headline: 'On this device only',
  detail: 'sign in to sync and to share',
  needsSignIn: false,
};

/** The same in a window that keeps nothing. */
export const IN_THIS_TAB_ONLY: StatusText = { ...WITHOUT_ACCOUNT, headline: 'In this tab only' };

export interface StatusFacts {
  /** In ms since the epoch. */
  now: number;
  sessionEnded?: boolean;
  isDurable?: boolean;
}

export function statusText(
  status: SyncStatus,
  { now, sessionEnded = false, isDurable = true }: StatusFacts,
): StatusText {
  const { kind, pending, error, progress, lastSyncedAt } = status;
  const waiting = pending === 0 ? null : `${count(pending, 'change')} to send`;
  const synced = lastSyncedAt === null ? 'never synced' : `last synced ${timeAgo(lastSyncedAt, now)}`;
  const rest = (...parts: (string | null)[]) => parts.filter((part) => part !== null).join(' · ') || null;

  if (sessionEnded || (error && reactionTo(error) === 'sign_in')) {
    return {
      tone: 'error',
      headline: 'Your session has ended',
      detail: rest('sign in again to sync', waiting),
      needsSignIn: true,
    };
  }
  const line = (tone: StatusText['tone'], headline: string, detail: string | null): StatusText => ({
    tone,
    headline,
    detail,
    needsSignIn: false,
  });
  switch (kind) {
    case 'offline':
      return line(
        'offline',
        error ? 'Offline — server not reachable' : 'Offline — no network',
        rest(waiting ?? `everything you do is kept ${isDurable ? 'here' : 'in this tab'}`, synced),
      );
    case 'syncing':
      return line('busy', 'Syncing …', rest(progressText(progress), waiting));
    case 'error':
      return line(
        'error',
        error ? describeDetail(error).headline : 'The last sync failed.',
        rest(nextStep(error), waiting),
      );
    case 'idle':
      return waiting ? line('waiting', waiting, synced) : line('ok', 'Up to date', synced);
  }
}

function progressText(progress: SyncStatus['progress']): string | null {
  if (!progress || progress.rows === 0) return null;
  const rows = progress.rows.toLocaleString('en');
  return progress.total === null ? `${rows} rows` : `${rows} of ${progress.total.toLocaleString('en')} rows`;
}

/** The next step of the sync, or of the reader. */
function nextStep(error: SyncStatus['error']): string {
  if (error === null) return 'it is tried again automatically';
  switch (reactionTo(error)) {
    case 'retry':
    case 'wait':
    case 'new_device':
    case 'split':
      return 'it is tried again automatically';
    case 'stop':
      return describeDetail(error).detail.replace(/\.$/, '');
    case 'quarantine':
    case 'sign_in':
      return 'look at the sync page';
  }
}

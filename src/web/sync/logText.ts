/** Entries of the sync log in words. Pure. */

import { count } from '@/core/count';
import type { SyncLogItem } from '@/lib/watermelon';
import { describeDetail } from '../ui/errorText';

const HEADLINES: Record<SyncLogItem['status'], string> = {
  ok: 'Done',
  partial: 'Done in part',
  offline: 'Server not reachable',
  error: 'Failed',
  signed_out: 'Not signed in',
};

export interface LogText {
  tone: 'ok' | 'waiting' | 'offline' | 'error';
  headline: string;
  /** The work of the sync; null: none. */
  done: string | null;
  /** Bytes and time. */
  cost: string;
  /** Why the sync did not finish. */
  error: string | null;
  /** The technical cause of the error. */
  cause: string | null;
}

export function logText(item: SyncLogItem): LogText {
  const { status, pushed, pulled, conflicts, rejected, error } = item;
  const tone =
    status === 'ok' ? 'ok' : status === 'partial' ? 'waiting' : status === 'offline' ? status : 'error';
  // The headline names a server that cannot be reached.
  const told = error === null || error.code === 'offline' ? null : describeDetail(error);
  const done = [
    pushed > 0 && `${pushed.toLocaleString('en')} sent`,
    pulled > 0 && `${pulled.toLocaleString('en')} received`,
    conflicts > 0 && count(conflicts, 'conflict'),
    rejected > 0 && `${rejected.toLocaleString('en')} refused`,
  ].filter((part) => part !== false);
  const { sent_bytes: sent, received_bytes: received } = item;
  const bytes = sent + received > 0 ? `${bytesText(sent)} up, ${bytesText(received)} down, ` : '';
  return {
    tone,
    headline: HEADLINES[status],
    done: done.length > 0 ? done.join(', ') : null,
    cost: `${bytes}${durationText(item.duration_ms)}`,
    error: told?.headline ?? null,
    cause: told?.technical ?? null,
  };
}

/** An entry of the log, and how often in a row it came about in the same way. */
export interface RepeatedItem {
  /** The latest. */
  item: SyncLogItem;
  times: number;
}

/** @returns the log with syncs as one that failed one after the other, for the same reason, and did nothing */
export function foldRepeated(log: readonly SyncLogItem[]): RepeatedItem[] {
  const folded: RepeatedItem[] = [];
  for (const item of log) {
    const last = folded.at(-1);
    if (last && isSameFailure(last.item, item)) last.times += 1;
    else folded.push({ item, times: 1 });
  }
  return folded;
}

function isSameFailure(one: SyncLogItem, other: SyncLogItem): boolean {
  const didNothing = [one, other].every(({ pushed, pulled, conflicts, rejected }) =>
    [pushed, pulled, conflicts, rejected].every((number) => number === 0),
  );
  return (
    didNothing &&
    one.error !== null &&
    one.status === other.status &&
    one.error.kind === other.error?.kind &&
    one.error.code === other.error?.code
  );
}

/** @returns "812 B", "14.2 kB", "3.1 MB" */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

/** @returns "240 ms", "3.2 s" */
export function durationText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

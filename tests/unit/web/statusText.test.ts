import { describe, expect, it } from 'vitest';
import type { SyncStatus } from '@/lib/watermelon';
import { statusText } from '@/web/status/statusText';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const IDLE: SyncStatus = {
  kind: 'idle',
  pending: 0,
  quarantined: 0,
  lastSyncedAt: NOW - 5 * 60_000,
  progress: null,
  error: null,
};

const said = (changes: Partial<SyncStatus>, sessionEnded = false) => {
  const { headline, detail } = statusText({ ...IDLE, ...changes }, { now: NOW, sessionEnded });
  return `${headline} | ${detail}`;
};

describe('the status line', () => {
  it('gives the time of the last sync', () => {
    expect(said({})).toBe('Up to date | last synced 5 minutes ago');
    expect(said({ lastSyncedAt: NOW - 2_000 })).toBe('Up to date | last synced just now');
    expect(said({ lastSyncedAt: null })).toBe('Up to date | never synced');
  });

  it('counts unsynced changes', () => {
    expect(said({ pending: 1 })).toBe('1 change to send | last synced 5 minutes ago');
    expect(said({ pending: 2_000 })).toBe('2,000 changes to send | last synced 5 minutes ago');
  });

  it('tells a missing network from a missing server', () => {
    expect(said({ kind: 'offline' })).toContain('Offline — no network | everything you do is kept here');
    const error = { kind: 'transport', code: 'offline', message: 'The server cannot be reached.' } as const;
    expect(said({ kind: 'offline', pending: 3, error })).toBe(
      'Offline — server not reachable | 3 changes to send · last synced 5 minutes ago',
    );
  });

  it('gives the progress of the first sync', () => {
    expect(said({ kind: 'syncing', progress: { rows: 2_000, total: 35_321 } })).toBe(
      'Syncing … | 2,000 of 35,321 rows',
    );
    expect(said({ kind: 'syncing', progress: { rows: 0, total: null } })).toBe('Syncing … | null');
  });

  it('gives a remedy for an error', () => {
    const timeout = {
      kind: 'transport',
      code: 'timeout',
      message: 'The server did not answer in time.',
    } as const;
    expect(said({ kind: 'error', error: timeout })).toBe(
      'The server did not answer in time. | it is tried again automatically',
    );
    const old = { kind: 'protocol', code: 'client_too_old', message: 'This page is too old.' } as const;
    expect(said({ kind: 'error', error: old })).toBe(
      'This page is too old for the server. | Your work is kept on this device. Reload the page to get the newest version',
    );
    const newer = { kind: 'protocol', code: 'schema_mismatch', message: 'The server is older.' } as const;
    expect(said({ kind: 'error', error: newer, pending: 1 })).toBe(
      'The server is too old for this page. | Your work is kept on this device, and is sent once the server has been updated · 1 change to send',
    );
  });

  it('asks to sign in again when the session has ended, however that is noticed', () => {
    const expired = { kind: 'auth', code: 'expired', message: 'Your session has ended.' } as const;
    expect(statusText({ ...IDLE, kind: 'error', error: expired }, { now: NOW }).needsSignIn).toBe(true);
    expect(statusText(IDLE, { now: NOW, sessionEnded: true }).needsSignIn).toBe(true);
    expect(said({ pending: 1 }, true)).toBe(
      'Your session has ended | sign in again to sync · 1 change to send',
    );
  });
});

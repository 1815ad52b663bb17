/**
 * Rows of the server that this device cannot store: it remembers which, asks for them again once each time it is
 * opened, and forgets them when they arrive in a form that it can store, or are deleted (P33).
 */

import { map, type Observable } from 'rxjs';
import type { Page, PullRequest } from '@/core/protocol';
import type { ConvoyDatabase } from '../../database';
import { DeviceState } from '../../models';
import { EXPIRED, UNCONFIRMED } from '../../models/tracking';
import { Q } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import type { UnreadableRow } from '../records/readable';
import { type DeviceStore, UNREADABLE, type Unreadable } from '../state/deviceStore';
import { archive, mayBeLost } from './archive';

/** Rows asked for again in one request: each may be as large as rows get. */
const MOST_WANTED = 20;

/**
 * Remembers rows that could not be stored. A record that is here stays as it is, and the sweep of a resync spares it: its
 * next edit is based on nothing, since nobody has seen the server's row here. What a restored server may have lost of it
 * is archived, as the next row that arrives replaces it (P13).
 */
export async function setAsideUnreadable(
  context: ApplyContext,
  store: DeviceStore,
  rows: readonly UnreadableRow[],
): Promise<void> {
  for (const row of rows) {
    context.work.also(() => store.prepareUnreadable({ ...row, since: context.now }));
    store.askedAgain.add(`${UNREADABLE}${row.table}/${row.id}`);
    const current = await context.work.get(row.table, context.ids.toLocal(row.id));
    if (!current || (current.revision !== UNCONFIRMED && current.revision !== EXPIRED)) continue;
    if (mayBeLost(row.table, current)) archive(context, row.table, current, 'history_changed');
    context.work.put(row.table, { ...current, revision: 0 });
  }
}

/** Forgets the rows that have arrived in a form that this device can store, or are deleted. */
export function forgetReadable(context: ApplyContext, store: DeviceStore, { rows, deleted }: Page): void {
  if (store.unreadable.size === 0) return;
  const arrived = [
    ...Object.entries(rows).map(([table, { id }]) => [table, id] as const),
    ...Object.entries(deleted),
  ];
  for (const [table, ids] of arrived) {
    for (const id of ids) {
      if (store.unreadable.has(`${UNREADABLE}${table}/${id}`))
        context.work.also(() => store.prepareReadable(table, id));
    }
  }
}

/** Forgets the rows of a scope that is lost, or sent anew. */
export function forgetUnreadableOf(context: ApplyContext, store: DeviceStore, scope: string): void {
  for (const { table, id, workspaceId } of [...store.unreadable.values()]) {
    if (workspaceId === scope) context.work.also(() => store.prepareReadable(table, id));
  }
}

/** @returns the rows to ask for with the next pull: a few at a time, each once since the device was opened */
export function wantedRows(store: DeviceStore): Pick<PullRequest, 'wanted'> {
  const wanted: NonNullable<PullRequest['wanted']> = [];
  for (const [key, { table, id }] of store.unreadable) {
    if (wanted.length === MOST_WANTED) break;
    if (!store.askedAgain.has(key)) wanted.push({ table, id });
  }
  return wanted.length > 0 ? { wanted } : {};
}

/** Notes that the server has answered for these rows. */
export function noteAsked(store: DeviceStore, { wanted = [] }: PullRequest): void {
  for (const { table, id } of wanted) store.askedAgain.add(`${UNREADABLE}${table}/${id}`);
}

/** The rows that this device could not store, now and whenever they change, the latest first. */
export function observeUnreadable(database: ConvoyDatabase): Observable<Unreadable[]> {
  return database
    .of(DeviceState)
    .query(Q.where('id', Q.like(`${UNREADABLE}%`)))
    .observeWithColumns(['value'] as never[])
    .pipe(map((states) => states.map(({ value }) => value as Unreadable).sort((a, b) => b.since - a.since)));
}

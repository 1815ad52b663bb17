/**
 * Screens and parts that the first list of work does not need. They are fetched when the page has nothing else to do, so that they are
 * there when the network is not; the service worker keeps them for later.
 */

import { type ComponentType, lazy } from 'react';

const loaders: (() => Promise<unknown>)[] = [];

function later<Props>(load: () => Promise<ComponentType<Props>>) {
  loaders.push(load);
  return lazy(async () => ({ default: await load() }));
}

export const AgentsPage = later(async () => (await import('../agents/AgentsPage')).AgentsPage);
export const DeletedPage = later(async () => (await import('../deleted/DeletedPage')).DeletedPage);
export const InvitationPage = later(async () => (await import('../places/InvitationPage')).InvitationPage);
export const MembersPage = later(async () => (await import('../places/MembersPage')).MembersPage);
export const MilestonePage = later(async () => (await import('../places/MilestonePage')).MilestonePage);
export const MyTasksPage = later(async () => (await import('../tasks/MyTasksPage')).MyTasksPage);
export const Palette = later(async () => (await import('./Palette')).Palette);
export const ProjectPage = later(async () => (await import('../places/ProjectPage')).ProjectPage);
export const ShortcutSheet = later(async () => (await import('./ShortcutSheet')).ShortcutSheet);
export const SignOutDialog = later(async () => (await import('../session/SignOutDialog')).SignOutDialog);
export const SyncPage = later(async () => (await import('../sync/SyncPage')).SyncPage);
export const TaskAddress = later(async () => (await import('../tasks/TaskAddress')).TaskAddress);
export const WorkspacePage = later(async () => (await import('../places/WorkspacePage')).WorkspacePage);
loaders.push(() => import('../inbox/ItemPane'));

/** Time until the parts are fetched where the browser does not say that it is idle, ms. */
const PATIENCE_MS = 1_000;

/** Fetches what is left, one after another. What fails is fetched when it is opened. */
export function fetchTheRest(): void {
  const idle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, PATIENCE_MS));
  idle(() => void fetchAll(), { timeout: PATIENCE_MS });
}

async function fetchAll() {
  for (const load of loaders) await load().catch(() => undefined);
}

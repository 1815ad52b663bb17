/** Screens and dialogs that the first list of work does not need. The service worker keeps them for later. */

import { routes } from '../routes';
import { AGAIN_AND_AGAIN, later } from '../ui/later';

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
export const Toaster = later(async () => (await import('../ui/Toaster')).Toaster, undefined, AGAIN_AND_AGAIN);
export const WorkspacePage = later(async () => (await import('../places/WorkspacePage')).WorkspacePage);
export const WorkspacesPage = later(async () => (await import('../places/WorkspacesPage')).WorkspacesPage);

const kindOf = (path: string) => path.split('/')[1];
const BY_KIND = new Map([
  [kindOf(routes.agents()), AgentsPage.fetchEarly],
  [kindOf(routes.milestone('')), MilestonePage.fetchEarly],
  [kindOf(routes.myTasks()), MyTasksPage.fetchEarly],
  [kindOf(routes.project('')), ProjectPage.fetchEarly],
  [kindOf(routes.sync()), SyncPage.fetchEarly],
  [kindOf(routes.task('')), TaskAddress.fetchEarly],
]);

/** Begins to fetch the screen of an address, while the database is opened that it will show. */
export function fetchScreenAt(path: string): void {
  BY_KIND.get(kindOf(path))?.();
}

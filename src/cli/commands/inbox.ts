/** `convoy inbox`: reviews, questions and the rest that wait for the user, in people's words. */

import type { Command } from 'commander';
import {
  countInbox,
  type Inbox,
  type InboxConflict,
  type InboxLoss,
  type InboxMessage,
  type InboxRefusal,
  type InboxReview,
} from '@/domain/inbox';
import { nameOfTask } from '@/domain/keys';
import { RECORD_NOUNS } from '@/domain/schema';
import { shortId } from '@/machine/records';
import { syncShortly } from '@/machine/sending';
import { clipped, painted, shown, table } from '../output';
import { type CommonOptions, runAs, type Session } from '../run';

export function addInboxCommand(program: Command): void {
  program
    .command('inbox')
    .description('What waits for you: reviews, questions, mentions, and what is set aside on this machine.')
    .option('--team', 'what waits for others, too')
    .action(inbox);
}

function inbox(options: CommonOptions & { team?: boolean }): Promise<void> {
  return runAs(options, async (session) => {
    await syncShortly(session);
    const found = await session.device.contextService.getInbox();
    const names = session.print.json ? new Map() : await namesOf(session, found);
    const keys = session.print.json ? new Map() : await keysOf(session, found);
    session.print.result(found, () => inboxText(found, { names, keys }, options.team === true));
    for (const hint of hintsOf(found)) session.print.note(hint);
  });
}

type Names = ReadonlyMap<string, string>;

interface Known {
  /** Display names by user id. */
  names: Names;
  /** Names of tasks, by id. */
  keys: Names;
}

/** @returns what can be done about what waits, without what is done about each kind by itself */
export function hintsOf({ reviews, questions, conflicts, refused }: Inbox): string[] {
  return [
    ...(reviews.length > 0
      ? ['Review one by: convoy approve <task>, or convoy return <task> --reason "..."']
      : []),
    ...(questions.length > 0 ? ['Answer one by: convoy answer <task> "..."'] : []),
    ...(conflicts.length > 0 ? ['Settle one by: convoy conflicts settle <task> --mine, or --theirs'] : []),
    ...(refused.length > 0 ? ['See why by: convoy refused'] : []),
  ];
}

/** The keys of the tasks that entries on this machine are about. */
async function keysOf({ device }: Session, { conflicts, refused, deleted }: Inbox): Promise<Names> {
  const ids = [...conflicts, ...refused, ...deleted].flatMap(({ task_id }) => task_id ?? []);
  const tasks = await Promise.all([...new Set(ids)].map((id) => device.contextService.getLocalTask(id)));
  return new Map(tasks.flatMap((task) => (task ? [[task.id, nameOfTask(task, null)]] : [])));
}

/** The display names of those who are named, by user id. */
async function namesOf({ device }: Session, found: Inbox): Promise<Names> {
  const { reviews, team, questions, mentions } = found;
  const scopes = new Set(
    [...reviews, ...team, ...questions, ...mentions].map(({ task }) => task.workspace_id),
  );
  const members = await Promise.all([...scopes].map((id) => device.contextService.getMembers(id)));
  return new Map(members.flat().map(({ user_id, display_name }) => [user_id, display_name]));
}

export function inboxText(found: Inbox, { names, keys }: Known, withTeam: boolean): string {
  const { reviews, team, questions, mentions, conflicts, refused, deleted, is_cut } = found;
  const others = withTeam ? section('For others to review', team, (one) => reviewRow(one, names)) : [];
  const waiting = [
    ...section('To review', reviews, (one) => reviewRow(one, names)),
    ...section('Questions to you', questions, (one) =>
      messageRow(one, names, isOneOfSeveral(one, questions)),
    ),
    ...section('Mentions of you', mentions, (one) => messageRow(one, names)),
    ...section('Conflicts to settle', conflicts, (one) => changeRow(one, keys)),
    ...section('Refused by the server', refused, (one) => refusalRow(one, keys)),
    ...section('Deleted by others while you changed it', deleted, (one) => changeRow(one, keys)),
  ];
  const rest =
    withTeam || team.length === 0
      ? []
      : [`Waiting for others: ${team.length}. See them by: convoy inbox --team`];
  const nothing = countInbox(found) === 0 ? ['Nothing waits for you.'] : [];
  const more = is_cut ? ['More waits than is listed here.'] : [];
  return [...nothing, ...waiting, ...others, ...rest, ...more].join('\n');
}

function section<T>(title: string, items: readonly T[], row: (item: T) => string[]): string[] {
  if (items.length === 0) return [];
  return [painted('bold', `${title} (${items.length})`), table(items.map(row)), ''];
}

function reviewRow({ task, request, reviewers, since }: InboxReview, names: Names): string[] {
  const asker = request ? nameIn(names, request.requested_by) : 'nobody asked';
  const reviewer = reviewers.by === 'all' ? '' : `for ${nameIn(names, reviewers.user_id)}`;
  return [nameOfTask(task, null), task.current_stage, asker, reviewer, dayOf(since), clipped(task.title, 60)];
}

/** Where several questions wait on a task, each is told with the id that `convoy answer --question` takes. */
function isOneOfSeveral({ task }: InboxMessage, questions: readonly InboxMessage[]): boolean {
  return questions.filter((one) => one.task.id === task.id).length > 1;
}

function messageRow(
  { id, task, author_id, text, since }: InboxMessage,
  names: Names,
  withId = false,
): string[] {
  const key = nameOfTask(task, null);
  return [withId ? `${key} ${shortId(id)}` : key, nameIn(names, author_id), dayOf(since), clipped(text, 80)];
}

function changeRow({ table: of, name, task_id, columns }: InboxConflict | InboxLoss, keys: Names): string[] {
  return [keyIn(keys, task_id), RECORD_NOUNS[of], clipped(name, 50), columns.join(', ')];
}

function refusalRow(
  { table: of, name, task_id, operation, code, message }: InboxRefusal,
  keys: Names,
): string[] {
  const what = `${operation} ${RECORD_NOUNS[of]}`;
  return [keyIn(keys, task_id), what, clipped(name, 50), code, clipped(message, 80)];
}

const keyIn = (keys: Names, taskId: string | null) => (taskId === null ? '' : (keys.get(taskId) ?? ''));

function nameIn(names: Names, userId: string | null): string {
  return clipped((userId && names.get(userId)) ?? 'somebody', 24);
}

const dayOf = (at: string) => shown(new Date(at).toLocaleString());

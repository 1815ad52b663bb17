/** `convoy inbox`: reviews, questions and the rest that wait for the user, in people's words. */

import type { Command } from 'commander';
import {
  countInbox,
  type Inbox,
  type InboxMessage,
  type InboxRefusal,
  type InboxReview,
} from '@/domain/inbox';
import { RECORD_NOUNS } from '@/domain/schema';
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
    session.print.result(found, () => inboxText(found, names, options.team === true));
  });
}

type Names = ReadonlyMap<string, string>;

/** The display names of those who are named, by user id. */
async function namesOf({ device }: Session, found: Inbox): Promise<Names> {
  const { reviews, team, questions, mentions } = found;
  const scopes = new Set(
    [...reviews, ...team, ...questions, ...mentions].map(({ task }) => task.workspace_id),
  );
  const members = await Promise.all([...scopes].map((id) => device.contextService.getMembers(id)));
  return new Map(members.flat().map(({ user_id, display_name }) => [user_id, display_name]));
}

function inboxText(found: Inbox, names: Names, withTeam: boolean): string {
  const { reviews, team, questions, mentions, conflicts, refused, deleted, is_cut } = found;
  const others = withTeam ? section('For others to review', team, (one) => reviewRow(one, names)) : [];
  const waiting = [
    ...section('To review', reviews, (one) => reviewRow(one, names)),
    ...section('Questions to you', questions, (one) => messageRow(one, names)),
    ...section('Mentions of you', mentions, (one) => messageRow(one, names)),
    ...section('Conflicts to settle', conflicts, (one) => [
      RECORD_NOUNS[one.table],
      clipped(one.name, 50),
      one.columns.join(', '),
    ]),
    ...section('Refused by the server', refused, refusalRow),
    ...section('Deleted by others while you changed it', deleted, (one) => [
      RECORD_NOUNS[one.table],
      clipped(one.name, 50),
      one.columns.join(', '),
    ]),
  ];
  const rest = withTeam || team.length === 0 ? [] : [`${team.length} wait for others: convoy inbox --team`];
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
  return [
    task.key ?? task.id.slice(-7),
    task.current_stage,
    asker,
    reviewer,
    dayOf(since),
    clipped(task.title, 60),
  ];
}

function messageRow({ task, author_id, text, since }: InboxMessage, names: Names): string[] {
  return [task.key ?? task.id.slice(-7), nameIn(names, author_id), dayOf(since), clipped(text, 80)];
}

function refusalRow({ table: of, name, operation, code, message }: InboxRefusal): string[] {
  return [`${operation} ${RECORD_NOUNS[of]}`, clipped(name, 50), code, clipped(message, 80)];
}

function nameIn(names: Names, userId: string | null): string {
  return clipped((userId && names.get(userId)) ?? 'somebody', 24);
}

const dayOf = (at: string) => shown(new Date(at).toLocaleString());

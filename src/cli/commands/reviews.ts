/** Approving and sending back, by a person who has seen the request. */

import type { Command } from 'commander';
import { ConvoyError } from '@/core/errors';
import type { Task } from '@/domain/entities';
import { passesCheckpoints } from '@/domain/permissions';
import { type Review, refusalToSettle, type SettleOptions } from '@/domain/reviews';
import { MachineFailure } from '@/machine/errors';
import { taskLine, taskNamed } from '@/machine/records';
import { syncShortly } from '@/machine/sending';
import { EXIT } from '../exits';
import { runAsPerson } from '../guard';
import { clipped, painted, shown } from '../output';
import { confirmed } from '../prompt';
import { type CommonOptions, type Session, sendWritten } from '../run';
import { refusedBefore, requireTaken } from '../taken';

interface ReviewOptions extends CommonOptions {
  asOf?: string;
}

export function addReviewCommands(program: Command): void {
  program
    .command('approve')
    .description('Approve what a task waits for at its checkpoint. Shows the request, and asks.')
    .argument('<task>', 'key or id')
    .option('--as-of <entry>', 'id of the request that you have seen; refused where another one is newer')
    .action((reference: string, options: ReviewOptions) =>
      settle(reference, options, 'Approve it?', ({ device }, task, review, seen) =>
        device.contextService.approveReview(task.id, review.id, seen),
      ),
    );
  program
    .command('return')
    .description('Send a task back from its checkpoint, with a reason. Shows the request, and asks.')
    .argument('<task>', 'key or id')
    .requiredOption('--reason <text>', 'what is to be done before it may pass; Markdown')
    .option('--as-of <entry>', 'id of the request that you have seen; refused where another one is newer')
    .action((reference: string, options: ReviewOptions & { reason: string }) =>
      settle(reference, options, 'Send it back?', ({ device }, task, review, seen) =>
        device.contextService.returnReview(task.id, review.id, options.reason, seen),
      ),
    );
}

/** Characters of a line; an address may have 2,000. */
const MOST_ON_LINE = 2_100;

type Settle = (session: Session, task: Task, review: Review, seen: SettleOptions) => Promise<Task>;

function settle(reference: string, options: ReviewOptions, question: string, write: Settle): Promise<void> {
  return runAsPerson(options, async (session) => {
    const { device, link, print } = session;
    await syncShortly(session);
    const task = await taskNamed(device.contextService, reference, link);
    const review = await openReview(session, task, options.asOf);
    await requireRight(session, task);
    process.stderr.write(`${await requestText(session, task, review)}\n\n`);
    if (!(await confirmed(question))) {
      process.exitCode = EXIT.failed;
      print.result({ settled: false }, 'Nothing was changed.');
      return;
    }
    // Others may have asked anew, or changed the task, while the person read.
    await syncShortly(session);
    const { title, description } = task;
    const before = await refusedBefore(device.contextService, task.id);
    const moved = await write(session, task, review, { expected: { title, description } });
    await sendWritten(session);
    await requireTaken(device.contextService, { review, by: session.profile.userId, before });
    print.result({ settled: true, task: moved }, () => shown(taskLine(moved, null)));
  });
}

/** @returns the request that waits, which is the one that the person has seen */
async function openReview({ device }: Session, task: Task, asOf: string | undefined): Promise<Review> {
  const review = await device.contextService.getReview(task.id);
  if (review === null || review.state !== 'open') {
    const name = shown(task.key ?? task.id);
    const message = `Nobody asks for a review of ${name}. Where it waits at a checkpoint all the same, move it by: convoy task move ${name} --reason "..."`;
    throw new MachineFailure({ kind: 'machine', code: 'not_found', message });
  }
  if (asOf !== undefined && asOf.toLowerCase() !== review.id) {
    throw new ConvoyError({
      kind: 'rejected',
      code: 'review_outdated',
      column: 'details',
      message: `The request for review is another one by now: ${review.id}. Look at that one.`,
    });
  }
  const refusal = refusalToSettle(task, review);
  if (refusal) throw new ConvoyError(refusal);
  return review;
}

/** A person who may not settle it is told so before they are asked. */
async function requireRight({ device, profile }: Session, task: Task): Promise<void> {
  const members = await device.contextService.getMembers(task.workspace_id);
  const own = members.find(({ user_id }) => user_id === profile.userId);
  if (own && passesCheckpoints(own)) return;
  throw new ConvoyError({
    kind: 'rejected',
    code: 'forbidden',
    column: null,
    message: 'Only people who own or edit the workspace approve and send back. Ask one of them.',
  });
}

async function requestText({ device }: Session, task: Task, review: Review): Promise<string> {
  const members = await device.contextService.getMembers(task.workspace_id);
  const asker = members.find(({ user_id }) => user_id === review.requested_by);
  const who = asker ? `${asker.display_name} (${asker.kind === 'agent' ? 'agent' : asker.role})` : 'somebody';
  const lines = [
    painted('bold', onOneLine(`${task.key ?? task.id}  ${task.title}`)),
    onOneLine(`${review.stage}, asked by ${who}, ${new Date(review.requested_at).toLocaleString()}`),
    ...(review.branch === null ? [] : [onOneLine(`branch ${review.branch}`)]),
    ...(review.commit === null ? [] : [onOneLine(`commit ${review.commit}`)]),
    ...review.links.map((link) => onOneLine(`link ${link}`)),
    `request ${review.id}`,
    '',
    quotedLines(review.text),
  ];
  if (review.previous) {
    lines.push('', `Since the request before (${review.previous.id}, ${review.previous.stage}):`);
    lines.push(await difference(review.previous, review));
  }
  return lines.join('\n');
}

/** Names and titles may have line ends: what follows one would look like words of this program. */
const onOneLine = (text: string) => clipped(text, MOST_ON_LINE);

/** Text by members, made so that nothing in it looks like words of this program. */
function quotedLines(text: string): string {
  return shown(text)
    .split('\n')
    .map((line) => `  > ${line}`)
    .join('\n');
}

type Asked = Pick<Review, 'text' | 'branch' | 'commit'>;

/** Comparisons of two texts end after so many changed lines. */
const MOST_EDITS = 2_000;

async function difference(before: Asked, after: Asked): Promise<string> {
  const { diffLines } = await import('diff');
  const whole = ({ text, branch, commit }: Asked) =>
    `branch ${branch ?? 'none'}\ncommit ${commit ?? 'none'}\n\n${text}\n`;
  const parts = diffLines(whole(before), whole(after), { maxEditLength: MOST_EDITS });
  if (parts === undefined) return '  They have little in common.';
  const changed = parts.filter(({ added, removed }) => added || removed);
  if (changed.length === 0) return '  Nothing is different.';
  return changed
    .flatMap(({ value, added }) =>
      value
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => painted(added ? 'green' : 'red', `  ${added ? '+' : '-'} ${shown(line)}`)),
    )
    .join('\n');
}

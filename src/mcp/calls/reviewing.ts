/** Tools about checkpoints, and about giving a task back. */

import {
  catchError,
  concatMap,
  filter,
  firstValueFrom,
  fromEvent,
  map,
  merge,
  type Observable,
  of,
  takeUntil,
  timer,
} from 'rxjs';
import { type AppError, detailOf, orThrow } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type { Comment } from '@/domain/comments';
import type { Task } from '@/domain/entities';
import type { Review } from '@/domain/reviews';
import { inOrder } from '@/domain/validation';
import { checkClaim } from '@/domain/work';
import { quoted, taskNamed } from '@/machine/records';
import { Arguments } from '../arguments';
import type { Desk } from '../desk';
import { named, type Tool } from './common';
import { workflowOf } from './writing';

export const requestReview: Tool = (given) => {
  const args = new Arguments(given, ['task', 'text', 'branch', 'commit', 'links']);
  const [reference, text, branch, commit, links] = [
    args.text('task'),
    args.text('text'),
    args.optionalText('branch'),
    args.optionalText('commit'),
    args.texts('links', 20),
  ];
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    const stage = await checkpointFor(desk, task);
    if (stage === null) throw args.bad('task', 'stands before no checkpoint: call move');
    const request = await service.requestReview(task.id, { text, branch, commit, links, stage });
    return `${await named(desk, task)} waits at ${stage} for a person; request ${request.id}. Call wait, or next for other work.`;
  };
};

/** @returns the checkpoint at which the task stands, or the stage after its own where that is one. */
async function checkpointFor(desk: Desk, task: Task): Promise<string | null> {
  const stages = inOrder((await workflowOf(desk, task.workflow_id))?.stages ?? []);
  const at = stages.findIndex(({ name }) => name === task.current_stage);
  return [stages[at], stages[at + 1]].find((stage) => stage?.is_checkpoint)?.name ?? null;
}

/** Hosts give a call up after a while; what is still open is asked for again. */
const MOST_SECONDS = 25;

export const wait: Tool = (given) => {
  const args = new Arguments(given, ['task', 'seconds']);
  const reference = args.text('task');
  const seconds = args.optionalNumber('seconds', 0, MOST_SECONDS) ?? MOST_SECONDS;
  return async (desk, signal) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    const before = await outcomeOf(desk, task.id);
    if (before.news !== null) return before.news;
    if (before.isOpen === false) return `Nothing waits for a person on ${await named(desk, task)}.`;
    const changes = service.observeTaskContext(task.id).pipe(concatMap(() => outcomeOf(desk, task.id)));
    const news = orThrow(await firstNews(changes, seconds * 1_000, signal));
    return news ?? 'Still waiting. Call next for other work, and wait again later.';
  };
};

/** @returns the first news within so many ms; null: none came, or the caller gave up. A look that fails ends it with its error */
function firstNews(
  outcomes: Observable<Outcome>,
  ms: number,
  signal: AbortSignal,
): Promise<Result<string | null, AppError>> {
  const found = outcomes.pipe(
    map(({ news }) => news),
    filter((news) => news !== null),
    takeUntil(merge(timer(ms), fromEvent(signal, 'abort'))),
    map((news) => ok(news)),
    catchError((thrown: unknown) => of(fail(detailOf(thrown)))),
  );
  return firstValueFrom(found, { defaultValue: ok(null) });
}

interface Outcome {
  /** null: nobody has answered yet. */
  news: string | null;
  /** Whether a person is to answer. */
  isOpen: boolean;
}

/** The answers of people to the newest review and the agent's own questions. */
async function outcomeOf({ device, profile }: Desk, taskId: string): Promise<Outcome> {
  const service = device.contextService;
  const [review, comments] = await Promise.all([service.getReview(taskId), service.getComments(taskId)]);
  const questions = comments.filter((one) => one.kind === 'question' && one.author_id === profile.userId);
  const answered = questions.filter(({ is_answered }) => is_answered);
  const lines = [
    ...(review ? reviewNews(review) : []),
    ...answered.flatMap((one) => answerNews(one, comments)),
  ];
  const isOpen = review?.state === 'open' || answered.length < questions.length;
  return { news: lines.length > 0 ? lines.join('\n') : null, isOpen };
}

function reviewNews({ state, stage, reason }: Review): string[] {
  if (state === 'approved') return [`Approved at ${stage}. Call next with your claim, and go on.`];
  if (state === 'returned')
    return [`Sent back from ${stage}: ${quoted(reason ?? '')}. Read the context, and do what is asked.`];
  return [];
}

function answerNews(question: Comment, comments: readonly Comment[]): string[] {
  return comments
    .filter(
      ({ kind, question_id, is_deleted }) => kind === 'answer' && question_id === question.id && !is_deleted,
    )
    .map(({ text }) => `Answer to ${quoted(question.text)}: ${JSON.stringify(text)}`);
}

export const finish: Tool = (given) => {
  const reference = new Arguments(given, ['task']).text('task');
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    const done = await service.finishTask(task.id);
    return `${await named(desk, done)} is done.`;
  };
};

export const release: Tool = (given) => {
  const args = new Arguments(given, ['task', 'claim', 'text']);
  const [reference, claim, text] = [args.text('task'), args.optionalText('claim'), args.optionalText('text')];
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    if (claim !== null) orThrow(checkClaim(task.id, { claim_id: claim }));
    if (text !== null) await service.addComment(task.id, text);
    const own = task.claimed_by === desk.profile.userId ? task.claim_id : null;
    const claimId = claim ?? own;
    const isReleased = claimId !== null && (await service.releaseClaim(task.id, claimId));
    const name = await named(desk, task);
    return isReleased ? `${name} is free again.` : `${name} was not claimed by you.`;
  };
};

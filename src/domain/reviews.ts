/**
 * Reviews: a request names what is to be reviewed, and a person who approves or returns names the request (section 6 of
 * docs/work-model.md). They are entries of the feed; a review is read out of them. Pure.
 */

import type { RejectedError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { sha256 } from '@/core/sha256';
import type { ActivityDraft } from './activities';
import type { Activity, Task } from './entities';
import { asDetails, idIn, textIn } from './entries';

/** What is to be reviewed. */
export interface ReviewRequest {
  /** What was done, or is planned, and what to look at. */
  text: string;
  branch?: string | null;
  /** 7 to 64 hexadecimal digits. */
  commit?: string | null;
  /** Addresses with http or https. They are shown as data, and never fetched. */
  links?: readonly string[];
  /** The checkpoint that the task is moved to along with the request. Default: the stage that it has. */
  stage?: string;
}

export interface SettleOptions {
  /** The stage that the task goes to. Default: the one after the checkpoint, or before it where the task is returned. */
  stage?: string;
  /** What the person has seen of the task, as in every update. */
  expected?: Partial<Pick<Task, 'title' | 'description'>>;
}

/** The newest request for review of a task, and what became of it. */
export interface Review {
  /** Of the request: the id of its entry. */
  id: string;
  task_id: string;
  /** The checkpoint at which the task waited. */
  stage: string;
  text: string;
  branch: string | null;
  commit: string | null;
  links: string[];
  requested_by: string | null;
  requested_at: string;
  state: 'open' | 'approved' | 'returned';
  /** Why it was returned. */
  reason: string | null;
  settled_by: string | null;
  settled_at: string | null;
  /** Whether the task's title or description is another one than what was to be reviewed. */
  text_changed: boolean;
  /** What was asked for before, whatever became of it; null where this is the first request. */
  previous: Pick<Review, 'id' | 'stage' | 'text' | 'branch' | 'commit' | 'requested_at'> | null;
}

/** The part of the Context Service that is about reviews. */
export interface ReviewService {
  /**
   * Asks for a review of a task that waits at a checkpoint. `validation/bad_value` where its stage is none.
   * @returns the entry, whose id names the request
   */
  requestReview(taskId: string, request: ReviewRequest): Promise<Activity>;
  /**
   * Moves the task past the checkpoint, naming the request. `rejected/review_outdated` where there is a newer request, or
   * this one is settled; `rejected/text_changed` where the task's text changed since; `rejected/checkpoint` for all but
   * human owners and editors.
   */
  approveReview(taskId: string, requestId: string, options?: SettleOptions): Promise<Task>;
  /** Moves the task back, with a reason. Refused as `approveReview` is. */
  returnReview(taskId: string, requestId: string, reason: string, options?: SettleOptions): Promise<Task>;
  /** @returns the task's newest request, or null. */
  getReview(taskId: string): Promise<Review | null>;
}

export const REVIEW_TYPES = ['review_requested', 'review_approved', 'review_returned'] as const;

export const REVIEW_LIMITS = { text: 20_000, reason: 10_000, branch: 255, links: 20, link: 2_000 } as const;

export const COMMIT_PATTERN = /^[0-9a-f]{7,64}$/;
/** An address that is one word: nothing in it ends the markup that it may be shown in. */
export const LINK_PATTERN = /^https?:\/\/[^\s<>"]+$/;

/** @returns a digest of what is reviewed of a task: its title and description. `convoy.text_hash` has the same. */
export function reviewedText({ title, description }: Pick<Task, 'title' | 'description'>): string {
  return sha256(`${title}\n${description ?? ''}`);
}

/**
 * @param entries of the task of the kinds `REVIEW_TYPES`, in the order in which the server took them. What is not in the form
 * of a request is none.
 */
export function reviewOf(
  task: Pick<Task, 'id' | 'title' | 'description'>,
  entries: readonly Activity[],
): Review | null {
  const [earlier, request] = [undefined, undefined, ...entries.filter(isRequest)].slice(-2);
  if (!request) return null;
  const details = asDetails(request.details);
  const settled = entries.findLast(
    (entry) =>
      entry.activity_type !== 'review_requested' && idIn(asDetails(entry.details).request) === request.id,
  );
  return {
    ...asked(request),
    task_id: task.id,
    links: linksIn(details.links),
    requested_by: request.actor_id,
    state:
      settled === undefined ? 'open' : settled.activity_type === 'review_approved' ? 'approved' : 'returned',
    reason: settled ? textIn(asDetails(settled.details).reason) : null,
    settled_by: settled?.actor_id ?? null,
    settled_at: settled?.created_at ?? null,
    text_changed: textIn(details.text_hash) !== null && details.text_hash !== reviewedText(task),
    previous: earlier ? asked(earlier) : null,
  };
}

/** @returns where that which a request is about can be found, as the request says */
export function placesOf(request: Activity): Pick<Review, 'branch' | 'commit' | 'links'> {
  const { branch, commit, links } = asDetails(request.details);
  return { branch: textIn(branch), commit: textIn(commit), links: linksIn(links) };
}

function linksIn(links: Json | undefined): string[] {
  return Array.isArray(links) ? links.flatMap((link) => textIn(link) ?? []) : [];
}

function asked(request: Activity): NonNullable<Review['previous']> {
  const details = asDetails(request.details);
  return {
    id: request.id,
    stage: String(details.stage),
    text: String(details.text),
    branch: textIn(details.branch),
    commit: textIn(details.commit),
    requested_at: request.created_at,
  };
}

function isRequest({ activity_type, details }: Activity): boolean {
  const { text, stage } = asDetails(details);
  return activity_type === 'review_requested' && typeof text === 'string' && typeof stage === 'string';
}

/** The entry that tells of a settled request. */
export function reviewSettled(
  taskId: string,
  type: 'review_approved' | 'review_returned',
  details: Record<string, Json>,
): ActivityDraft {
  return { task_id: taskId, entity_type: null, entity_id: null, activity_type: type, details };
}

/** @returns why the newest request of a task can be neither approved nor returned (V3, V4); null: it can */
export function refusalToSettle(
  task: Pick<Task, 'current_stage'>,
  review: Pick<Review, 'state' | 'stage' | 'text_changed'>,
): RejectedError | null {
  const refused = (code: 'review_outdated' | 'text_changed', message: string): RejectedError => ({
    kind: 'rejected',
    code,
    column: 'details',
    message,
  });
  if (review.state !== 'open') {
    return refused('review_outdated', 'This request for review has been settled already.');
  }
  if (review.text_changed) {
    return refused(
      'text_changed',
      'The text of the task has changed since the review was requested. Ask for a new one.',
    );
  }
  if (task.current_stage !== review.stage) {
    return refused('review_outdated', 'The task does not wait at the checkpoint of this request any more.');
  }
  return null;
}

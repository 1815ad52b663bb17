/**
 * Work on tasks: claims (rules C) and what is next (N); `docs/work-model.md` has the rules. Part of the interface of both Context
 * Services.
 */

import type { ValidationError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import { isBlank } from '@/core/text';
import type { Task } from './entities';
import type { Readiness } from './ready';
import { invalid, validateId } from './validation';

/** The lease of a claim, minutes: at least, usually, at most (C3). The server has the same (`convoy.lease_minutes`). */
export const LEASE_MINUTES = { least: 1, usual: 15, most: 60 } as const;

/** Most characters of a claim's id. */
const CLAIM_ID_LENGTH = 64;

export interface ClaimOptions {
  /** Names the claim: of one session of an agent, chosen by it, 1 to 64 characters. */
  claim_id: string;
  /** The lease, minutes; held within `LEASE_MINUTES`. */
  minutes?: number;
  /** The claim_id of an earlier session of the same user whose claim this one goes on with. */
  resume?: string;
}

/** A claim as it stands. */
export interface Claim {
  task_id: string;
  claimed_by: string | null;
  /** ISO time at which the lease runs out. */
  claimed_until: string | null;
  claim_id: string | null;
  /** The task waits at a checkpoint: the claim is live whatever the lease. */
  waits: boolean;
  /** Of the task, when the server said so; null where this device says it. */
  revision: number | null;
}

/** `released`: whether there was such a claim. */
export interface Release {
  released: boolean;
  /** As in `Claim`. */
  revision: number | null;
}

/**
 * `claimed`: the task is the caller's; where `provisional`, on this machine alone, until the server has been asked (C10).
 * `taken`: the claim of somebody else, or of another session, is live. `lost`: the claim that was to be renewed does not
 * stand any more; `claim` is the one that stands instead, and its `claimed_by` may be null.
 */
export type ClaimResult =
  | { state: 'claimed'; claim: Claim; provisional: boolean }
  | { state: 'taken' | 'lost'; claim: Claim; provisional: boolean };

export interface NextOptions {
  /** Absent: all workspaces of the user. */
  workspace_id?: string;
  project_id?: string;
  /** The session that asks: then only its claims count as the user's own. */
  claim_id?: string;
}

/** The next task; or, where none is ready, how many are open and why the first of them, at most five, are not. */
export type NextTask = { task: Task } | { task: null; open: number; waiting: Readiness[] };

/** The part of the Context Service about work. */
export interface WorkService {
  /**
   * Claims a task. The one call, with the next two, that waits for the server, and for at most three seconds; without an
   * answer the claim is provisional. Rejects with `rejected/forbidden`, `rejected/paused`, `rejected/closed` (the task is done or
   * cancelled), `validation/*`.
   */
  claimTask(taskId: string, options: ClaimOptions): Promise<ClaimResult>;
  /** Extends a claim to a full lease from now. Nothing is written while more than two thirds of it are left (C8). */
  renewClaim(taskId: string, claimId: string, minutes?: number): Promise<ClaimResult>;
  releaseClaim(taskId: string, claimId: string): Promise<Release>;
  /** The task that is next for the user (N6). */
  getNextTask(options?: NextOptions): Promise<NextTask>;
  /** Whether a task may be worked on now, and every reason why not; null for an unknown task. */
  getReadiness(taskId: string, claimId?: string): Promise<Readiness | null>;
}

export interface ClaimRequest {
  taskId: string;
  claimId: string;
  minutes: number;
  resume: string | null;
}

/** @returns the request in canonical form, its lease held within the limits; or what is wrong with it. */
export function checkClaim(
  taskId: string,
  { claim_id, minutes = LEASE_MINUTES.usual, resume }: ClaimOptions,
): Result<ClaimRequest, ValidationError> {
  const target = validateId('task_id', taskId);
  if (!target.ok) return target;
  const claimId = checkClaimId('claim_id', claim_id);
  if (!claimId.ok) return claimId;
  if (typeof minutes !== 'number' || Number.isNaN(minutes)) {
    return invalid('bad_value', 'minutes', 'The lease must be a number of minutes.');
  }
  if (resume !== undefined && resume !== null) {
    const resumed = checkClaimId('resume', resume);
    if (!resumed.ok) return resumed;
  }
  const { least, most } = LEASE_MINUTES;
  const held = Math.min(Math.max(minutes, least), most);
  return ok({ taskId: target.value, claimId: claimId.value, minutes: held, resume: resume ?? null });
}

export function checkClaimId(field: string, claimId: unknown): Result<string, ValidationError> {
  if (typeof claimId !== 'string' || isBlank(claimId)) {
    return invalid(
      'required',
      field,
      'Name the claim: any text of 1 to 64 characters that no other session uses.',
    );
  }
  if ([...claimId].length > CLAIM_ID_LENGTH) {
    return invalid('too_long', field, `A claim is named by at most ${CLAIM_ID_LENGTH} characters.`);
  }
  return ok(claimId);
}

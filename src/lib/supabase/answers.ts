/** Checks the shape of the server's answers, so that no malformed row reaches the local database. */

import type {
  PullAnswer,
  PushAnswer,
  PushRequest,
  SettleRequest,
  StepAnswer,
  VoidAnswer,
} from '@/core/protocol';

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRevision(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function every(value: unknown, check: (item: unknown) => boolean): boolean {
  return isObject(value) && Object.values(value).every(check);
}

/**
 * Checks that rows, which come as one array for each column, have ids. What else is wrong with a row is found where it
 * is applied, and concerns that row alone (P33). A newer server may send unknown tables and columns (U19): they are
 * ignored.
 */
function isRows(value: unknown): boolean {
  return every(value, (columns) => isObject(columns) && isStrings(columns.id));
}

function isDeleted(value: unknown): boolean {
  return every(value, isStrings);
}

function isPage(value: unknown): boolean {
  return isObject(value) && isRows(value.rows) && isDeleted(value.deleted);
}

function isScope(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value.id === 'string' &&
    typeof value.role === 'string' &&
    isRevision(value.head) &&
    typeof value.tag === 'string' &&
    (value.unsettled === undefined || typeof value.unsettled === 'boolean')
  );
}

function isCursor(value: unknown): boolean {
  return isObject(value) && isRevision(value.revision) && typeof value.tag === 'string';
}

function isPosition(value: unknown): boolean {
  return isObject(value) && isRevision(value.revision);
}

/** @returns the answer of `sync_pull`, or null for a malformed value. */
export function readPullAnswer(value: unknown): PullAnswer | null {
  return isPullAnswer(value) ? value : null;
}

function isPullAnswer(value: unknown): value is PullAnswer {
  return (
    isObject(value) &&
    typeof value.user_id === 'string' &&
    isTime(value.server_time) &&
    Array.isArray(value.scopes) &&
    value.scopes.every(isScope) &&
    every(value.cursors, isCursor) &&
    every(value.refilled, isPosition) &&
    isStrings(value.forgotten) &&
    typeof value.more === 'boolean' &&
    (value.total === null || isRevision(value.total)) &&
    isPage(value)
  );
}

function isOutcome(value: unknown): boolean {
  if (!isObject(value)) return false;
  switch (value.outcome) {
    case 'applied':
      return isRevision(value.revision) && (value.key === undefined || typeof value.key === 'string');
    case 'merged':
      return isRevision(value.revision);
    case 'conflict':
      return isRevision(value.revision) && isObject(value.columns);
    case 'duplicate':
      return typeof value.of === 'string';
    case 'gone':
      return value.which === 'record' || value.which === 'parent';
    case 'blocked':
      return typeof value.by === 'string';
    case 'rejected':
      return typeof value.code === 'string' && typeof value.message === 'string';
    default:
      return false;
  }
}

/** Earlier servers answered `duplicate` of null for a record that the same push had deleted, and may replay it: it is gone (U10). */
function withoutLostTwins(outcome: unknown): unknown {
  const isLost = isObject(outcome) && outcome.outcome === 'duplicate' && outcome.of === null;
  return isLost ? { outcome: 'gone', which: 'record' } : outcome;
}

/** @returns the answer of `sync_push` to this request, or null for a malformed value. */
export function readPushAnswer(value: unknown, request: PushRequest): PushAnswer | null {
  return readOutcomes(value, request.batch, request.changes.length);
}

/**
 * @param changes of the batch that is settled, how many
 * @returns the answer of `sync_push` to a request that settles a batch, or null for a malformed value
 */
export function readSettleAnswer(
  value: unknown,
  request: SettleRequest,
  changes: number,
): PushAnswer | VoidAnswer | null {
  return isVoid(value, request.batch) ? value : readOutcomes(value, request.batch, changes);
}

function isVoid(value: unknown, batch: number): value is VoidAnswer {
  return (
    isObject(value) &&
    value.void === true &&
    typeof value.user_id === 'string' &&
    isTime(value.server_time) &&
    value.batch === batch
  );
}

function readOutcomes(value: unknown, batch: number, changes: number): PushAnswer | null {
  if (!isObject(value) || !Array.isArray(value.outcomes)) return null;
  const answer = { ...value, outcomes: value.outcomes.map(withoutLostTwins) };
  return isPushAnswer(answer, batch, changes) ? answer : null;
}

function isPushAnswer(value: Fields, batch: number, changes: number): value is Fields & PushAnswer {
  return (
    typeof value.user_id === 'string' &&
    isTime(value.server_time) &&
    value.batch === batch &&
    Array.isArray(value.outcomes) &&
    value.outcomes.length === changes &&
    value.outcomes.every(isOutcome) &&
    isPage(value.effects) &&
    every(value.revisions, isCursor) &&
    (value.unfinished === undefined || isStrings(value.unfinished)) &&
    (value.moved === undefined || isStrings(value.moved))
  );
}

/** @returns the answer of `sync_steps`, or null for a malformed value. */
export function readStepAnswer(value: unknown): StepAnswer | null {
  return isStepAnswer(value) ? value : null;
}

function isStepAnswer(value: unknown): value is StepAnswer {
  return (
    isObject(value) &&
    typeof value.user_id === 'string' &&
    isTime(value.server_time) &&
    typeof value.left === 'boolean'
  );
}

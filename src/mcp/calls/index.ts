/** What each tool does. */

import type { Desk } from '../desk';
import { create } from './creating';
import { context, list, next, show } from './reading';
import { finish, release, requestReview, wait } from './reviewing';
import { ask, depend, move, report, update } from './writing';

/** Reads the arguments first: what is wrong with them is told without a database. */
export type Tool = (given: unknown) => (desk: Desk, signal: AbortSignal) => Promise<string>;

export const CALLS: ReadonlyMap<string, Tool> = new Map<string, Tool>([
  ['next', next],
  ['context', context],
  ['move', move],
  ['report', report],
  ['ask', ask],
  ['create', create],
  ['update', update],
  ['depend', depend],
  ['request_review', requestReview],
  ['wait', wait],
  ['finish', finish],
  ['release', release],
  ['list', list],
  ['show', show],
]);

/** The work of each tool. */

import type { Tool } from './common';
import { create } from './creating';
import { context, list, next, show } from './reading';
import { finish, release, requestReview, wait } from './reviewing';
import { ask, depend, move, report, update } from './writing';

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

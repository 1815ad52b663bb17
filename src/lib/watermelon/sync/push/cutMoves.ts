/** Moves of subtasks that did not fit beside the move of their task (D35): they share its fate, as those beside it do (U28). */

import { readBase, type SyncBase } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import type { SyncedChange } from '../records/codec';
import type { UnsyncedRecord } from '../records/unsynced';
import { toUnsynced } from '../records/unsynced';
import { keepInLedger } from '../setAside/ledger';
import { quarantine, type Refusal, revertColumns } from '../setAside/quarantine';
import { toChange } from './changes';
import type { LostMove, PushContext } from './pushContext';

const PLACE = ['milestone_id', 'parent_task_id'];

/** Meets tasks with an unsynced move. */
const IS_MOVED = `"_status" = 'updated' and instr("_changed", '${PLACE[0]}') > 0`;

/** @returns whether the edits of a record move a task that the server has. */
export function movesTask({ table, raw, base }: Pick<UnsyncedRecord, 'table' | 'raw' | 'base'>): boolean {
  return table === 'tasks' && raw._status === 'updated' && actionOf(base) !== undefined;
}

/** @returns the action that moved the task, along with others. */
function actionOf({ columns }: SyncBase): string | undefined {
  return columns.milestone_id?.group;
}

/**
 * Notes that a task does not move.
 * @param change that was sent of it
 * @param raw the task as it was before the outcome was applied
 * @param refusal the reason for which its move was set aside; null: it lost a conflict
 */
export function noteLostMove(
  { lostMoves }: PushContext,
  { table, op, values = {} }: SyncedChange,
  raw: Raw,
  refusal: Refusal | null,
): void {
  const base = readBase(raw);
  const action = table === 'tasks' && op === 'update' && 'milestone_id' in values && base && actionOf(base);
  if (action) lostMoves.set(raw.id, { action, refusal });
}

/** Withdraws or sets aside the moves that follow one that this answer has ended, and that later parts of its group would send. */
export async function endCutMoves(context: PushContext): Promise<void> {
  const { lostMoves, work, ids, indexOf, applied } = context;
  if (lostMoves.size === 0) return;
  const moved = await context.database.fetchStored('tasks', IS_MOVED);
  const actions = new Set([...lostMoves.values()].map(({ action }) => action));
  for (const record of moved) {
    const { base } = toUnsynced('tasks', record);
    if (indexOf.has(ids.toRemote(record.id)) || !actions.has(actionOf(base) ?? '')) continue;
    const raw = await work.get('tasks', record.id);
    const lost = raw && (await lostAbove(context, raw));
    if (!lost || lost.action !== actionOf(base)) continue;
    const names = PLACE.filter((name) => base.columns[name]);
    const columns = Object.fromEntries(
      names.map((name) => [name, base.columns[name]]),
    ) as SyncBase['columns'];
    const change = toChange({ table: 'tasks', raw, record, base: { ...base, columns } }, 0, ids, null);
    if (lost.refusal) {
      applied.rejected += await quarantine(context, change, raw, {
        ...lost.refusal,
        code: 'group',
        column: null,
      });
      continue;
    }
    keepInLedger(context, { table: 'tasks', raw, base, kind: 'withdrawn', only: names });
    revertColumns(context, change, raw, names, null);
  }
}

/** @returns what became of the next move above a task that this answer has ended. */
async function lostAbove({ work, lostMoves }: PushContext, task: Raw): Promise<LostMove | null> {
  const seen = new Set<string>();
  for (let id = task.parent_task_id; typeof id === 'string' && !seen.has(id); ) {
    const lost = lostMoves.get(id);
    if (lost) return lost;
    seen.add(id);
    id = (await work.get('tasks', id))?.parent_task_id ?? null;
  }
  return null;
}

/**
 * Unsynced records → groups: what one action wrote is taken or refused together (D3), up to a bound (D35). Each edited
 * column is of the action that edited it last, so that groups do not grow together: a record whose edits are of several
 * actions goes in parts. Pure.
 */

import { type ToldChange, tales, tells, toldBy } from '@/domain/activities';
import { columnsOf } from '@/domain/schema';
import { expectedBy, groupOf, serverValue } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import { isDeleted, type UnsyncedRecord } from '../records/unsynced';
import { GROUP_BOUNDS, type GroupBounds } from '../state/groupBounds';
import { movesTask } from './cutMoves';
import { firstEdit, inDependencyOrder, rank } from './order';

export interface PushOrder {
  /** A record before those that name it. */
  groups: UnsyncedRecord[][];
  /** Activities that tell of nothing: they are not sent (U30). */
  untold: UnsyncedRecord[];
  /** Records whose activities did not all fit beside them. */
  cut: Map<UnsyncedRecord, Cut>;
  /** Parts of a group that move tasks along with one of an earlier part: whether they are sent depends on its answer (U28). */
  dependent: Set<UnsyncedRecord[]>;
}

interface Cut {
  /** Edit time up to which activities wait, in ms. */
  until: number;
  /** Of a task: the stage that it is sent to, where that is not yet the one it has. */
  stage?: string;
}

/** The changes of a record that one action made, with the activities that tell of them. */
type Unit = [UnsyncedRecord, ...UnsyncedRecord[]];

/**
 * @returns the unsynced records in groups. Deletions that follow from another deletion are left out: the server's cascade
 * makes them. A record stands in several groups where several actions edited it, each time with their columns alone.
 */
export function inPushOrder(unsynced: readonly UnsyncedRecord[], bounds = GROUP_BOUNDS): PushOrder {
  const deletedHere = new Set(unsynced.filter(isDeleted).map((item) => item.raw.id));
  const pushed = unsynced.filter((item) => {
    const root = item.base.deletion?.root;
    if (!isDeleted(item) || root === undefined || root === item.raw.id || !deletedHere.has(root)) return true;
    return wasMovedHere(item);
  });
  const byGroup = formGroups(pushed.filter((item) => !isReserved(item)));
  const { alone, untold } = addActivities(byGroup, pushed.filter(isReserved), deletedHere);
  const cut = new Map<UnsyncedRecord, Cut>();
  const whole = [...byGroup.values(), ...alone.map((item): Unit[] => [[item]])];
  const groups = inDependencyOrder(whole.map((units) => units.flat()));
  const unitsOf = new Map(whole.map((units) => [(units[0] as Unit)[0], units]));
  const parts = groups.map((group) => parted(group, unitsOf, bounds, cut));
  const dependent = new Set(parts.flatMap(([, ...later]) => later.filter((part) => part.some(movesTask))));
  return { groups: parts.flat(), untold, cut, dependent };
}

/** Whether a record was moved, unsynced, under the parent that it was deleted with: the server's cascade does not find it there. */
function wasMovedHere({ table, raw, base }: UnsyncedRecord): boolean {
  const columns = columnsOf(table);
  return Object.entries(base.columns).some(
    ([name, edit]) => columns[name]?.parent === true && serverValue(edit) !== raw[name],
  );
}

/** An activity of Convoy's own, that is new here. */
function isReserved({ table, raw }: UnsyncedRecord): boolean {
  if (table !== 'activity_feed' || raw._status !== 'created') return false;
  return raw.activity_type === 'conflict_settled' || toldBy(raw) !== null;
}

/** @returns the units by the name of their group, without activities of Convoy's own. Other activities are groups of their own. */
function formGroups(items: readonly UnsyncedRecord[]): Map<string, Unit[]> {
  const writers = new Map<string, number>();
  for (const item of items) {
    for (const name of new Set(columnsByAction(item).keys())) writers.set(name, (writers.get(name) ?? 0) + 1);
  }
  const groups = new Map<string, Unit[]>();
  for (const item of items) {
    const parts = new Map<string, string[]>();
    for (const [name, columns] of columnsByAction(item)) {
      // Actions that edited this record alone go together, unless they were refused together.
      const group = item.base.apart || (writers.get(name) ?? 0) > 1 ? name : ownGroup(item.raw);
      parts.set(group, [...(parts.get(group) ?? []), ...columns]);
    }
    for (const [group, columns] of parts) {
      const unit: Unit = [parts.size === 1 ? item : withColumns(item, columns)];
      const known = groups.get(group);
      if (known) known.push(unit);
      else groups.set(group, [unit]);
    }
  }
  return groups;
}

const ownGroup = ({ id }: Raw): string => `record ${id}`;

type Edits = Pick<UnsyncedRecord, 'table' | 'raw' | 'base'>;

/** @returns the edited columns of a record by the action that edited them last; of a new or deleted one, its one action. */
function columnsByAction({ table, raw, base }: Edits): Map<string, string[]> {
  if (table === 'activity_feed') return new Map([[ownGroup(raw), []]]);
  if (raw._status !== 'updated') return new Map([[groupOf(raw, base) ?? ownGroup(raw), []]]);
  const actions = new Map<string, string[]>();
  for (const column of Object.keys(base.columns)) {
    const action = groupOf(raw, base, column) ?? ownGroup(raw);
    const known = actions.get(action);
    if (known) known.push(column);
    else actions.set(action, [column]);
  }
  return actions;
}

/** @returns whether the edits of a record are of several actions, which can go by themselves. */
export function hasSeveralActions(edits: Edits): boolean {
  return columnsByAction(edits).size > 1;
}

/** @returns the record with only some of its edits. */
export function withColumns<Item extends Edits>(item: Item, names: readonly string[]): Item {
  const columns = Object.entries(item.base.columns).filter(([name]) => names.includes(name));
  return { ...item, base: { ...item.base, columns: Object.fromEntries(columns) } };
}

/**
 * Adds each activity to the unit that makes the change it tells of (U30): that of its own action, else the one by which a
 * later action made it.
 * @returns activities of settled conflicts that changed nothing; and those that tell of nothing, such as of a task that was
 *   deleted before it was ever pushed, or of a retried change that somebody else has made
 */
function addActivities(
  groups: ReadonlyMap<string, Unit[]>,
  activities: readonly UnsyncedRecord[],
  deleted: ReadonlySet<string>,
): { alone: UnsyncedRecord[]; untold: UnsyncedRecord[] } {
  const alone: UnsyncedRecord[] = [];
  const untold: UnsyncedRecord[] = [];
  const told = new Map<string, { group: string; unit: Unit }[]>();
  for (const [group, units] of activities.length > 0 ? groups : []) {
    for (const unit of units) {
      for (const tale of talesOf(unit[0])) {
        const known = told.get(tale);
        if (known) known.push({ group, unit });
        else told.set(tale, [{ group, unit }]);
      }
    }
  }
  for (const item of activities) {
    const subject = String(item.raw.task_id ?? item.raw.entity_id);
    const tale = toldBy(item.raw);
    const found = told.get(tale ?? `conflict_settled ${subject}`) ?? [];
    const unit = found.length > 1 ? unitOf(item, found) : found[0]?.unit;
    // Of what is deleted nobody has to know how it was settled.
    const isMoot = tale === null && deleted.has(subject);
    if (!isMoot && unit) unit.push(item);
    else if (!isMoot && tale === null) alone.push(item);
    else untold.push(item);
  }
  return { alone, untold };
}

/** @returns of several units that an activity may tell of: one with what it tells, and of those the one of its action. */
function unitOf({ raw, base }: UnsyncedRecord, found: { group: string; unit: Unit }[]): Unit | undefined {
  const telling = found.filter(({ unit: [change] }) => tells(raw, Object.keys(change.base.columns)));
  const possible = telling.length > 0 ? telling : found;
  return (possible.find(({ group }) => base.groups.includes(group)) ?? possible[0])?.unit;
}

/** @returns what activities of Convoy's own may tell of the change of a record. */
export function talesOf({ table, raw, base }: UnsyncedRecord): string[] {
  const op = raw._status === 'created' ? 'insert' : raw._status === 'deleted' ? 'delete' : 'update';
  const change: ToldChange = {
    table,
    op,
    id: raw.id,
    taskId: raw.task_id,
    dependsOnId: raw.depends_on_task_id,
    columns: Object.keys(base.columns),
  };
  return op === 'delete' ? tales(change) : [...tales(change), `conflict_settled ${raw.id}`];
}

/**
 * Cuts a group beyond the bounds: records before those that need them, a task that moves before its subtasks (U28), deletions
 * last, each with its activities. So the change that expects something is judged before the others are sent (D15). Where
 * those of one record do not fit, its change is sent again with the next of them (`cut`).
 */
function parted(
  group: UnsyncedRecord[],
  unitsOf: ReadonlyMap<UnsyncedRecord, Unit[]>,
  bounds: GroupBounds,
  cut: Map<UnsyncedRecord, Cut>,
): UnsyncedRecord[][] {
  const fits = (items: readonly UnsyncedRecord[]) =>
    items.length <= bounds.changes && items.reduce((sum, item) => sum + sizeOf(item), 0) <= bounds.characters;
  const byRank = (items: UnsyncedRecord[]) => items.sort((a, b) => rank(a) - rank(b));
  if (fits(group)) return [byRank(group)];
  const isNeeded = (item: UnsyncedRecord) => item.raw._status === 'created' || movesTask(item);
  const units = inDependencyOrder(unitsOf.get(group[0] as UnsyncedRecord) ?? [], isNeeded) as Unit[];
  const ordered = [
    ...units.filter(([change]) => !isDeleted(change)),
    ...units.filter(([change]) => isDeleted(change)),
  ];
  const parts: UnsyncedRecord[][] = [];
  let [open, changes, characters]: [UnsyncedRecord[], number, number] = [[], 0, 0];
  for (const unit of ordered) {
    const taken = fits(unit) ? unit : firstOf(unit, bounds, cut);
    const size = taken.reduce((sum, item) => sum + sizeOf(item), 0);
    if (
      open.length > 0 &&
      (changes + taken.length > bounds.changes || characters + size > bounds.characters)
    ) {
      parts.push(byRank(open));
      [open, changes, characters] = [[], 0, 0];
    }
    for (const item of taken) open.push(item);
    changes += taken.length;
    characters += size;
  }
  return [...parts, byRank(open)];
}

/** @returns a change with as many of its activities, the oldest first, as the bounds allow; the rest waits. */
function firstOf([change, ...activities]: Unit, bounds: GroupBounds, cut: Map<UnsyncedRecord, Cut>): Unit {
  activities.sort((a, b) => firstEdit(a) - firstEdit(b));
  const taken: Unit = [change];
  let characters = sizeOf(change);
  // A change that is sent again brings the rest forward by one activity at least.
  const isRepeated = Object.values(change.base.columns).every(({ repeats }) => repeats === true);
  const least = isRepeated && !isDeleted(change) && change.raw._status === 'updated' ? 1 : 0;
  for (const activity of activities) {
    characters += sizeOf(activity);
    const isFull = taken.length >= bounds.changes || characters > bounds.characters;
    if (isFull && taken.length > least) break;
    taken.push(activity);
  }
  if (taken.length > activities.length) return taken;
  const { count, stage } = upToStage(change, activities, taken.length - 1);
  cut.set(change, { until: firstEdit(activities.at(-1) as UnsyncedRecord), stage });
  return [change, ...activities.slice(0, count)];
}

/**
 * The server passes over activities that tell of no move (U30). So a task is sent only to the stage that it had after the
 * activities beside it, and those left tell of moves that are still to be made.
 * @param most activities that fit beside the task
 * @returns how many of them go with it, and to which stage; without one the task goes as it is
 */
function upToStage(
  { table, raw, base }: UnsyncedRecord,
  activities: readonly UnsyncedRecord[],
  most: number,
): { count: number; stage?: string } {
  const edit = base.columns.current_stage;
  const isMoved = table === 'tasks' && (raw._status === 'created' || (raw._status === 'updated' && edit));
  if (!isMoved) return { count: most };
  // From the back, so that each activity is looked at once.
  for (let count = most, next = stageLeftBy(activities.slice(most)); count > 0; count -= 1) {
    const isMove = next !== raw.current_stage && (!edit || next !== serverValue(edit));
    if (next !== undefined && isMove) return { count, stage: next };
    next = stageLeftBy(activities.slice(count - 1, count)) ?? next;
  }
  return { count: most };
}

/** @returns the stage that the first of these moves leaves. */
function stageLeftBy(activities: readonly UnsyncedRecord[]): string | undefined {
  const move = activities.find(({ raw }) => raw.activity_type === 'stage_changed');
  const { from } = JSON.parse(String(move?.raw.details ?? '{}')) as { from?: unknown };
  return typeof from === 'string' ? from : undefined;
}

/** Characters of a change, at most about: a time has 24. */
function sizeOf({ raw, base }: UnsyncedRecord): number {
  const isUpdate = raw._status === 'updated';
  const sent = (isUpdate ? Object.keys(base.columns) : Object.keys(raw)).map((name) => raw[name]);
  const values = isUpdate ? [...sent, ...Object.values(expectedBy(base.columns))] : sent;
  return values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 24), 200);
}

/** The pure core of conflict resolution: three versions of a record in, one out, and what was chosen. */

import { charactersIn } from '@/core/text';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import type { RawValue } from '../../models/watermelondb';
import { sameValue } from '../records/codec';
import { mergeText } from './mergeText';
import type { Policy, TablePolicies } from './policies';

export interface MergeInput {
  table: SyncedTable;
  /** The columns that the device edited, as they were when last in step with the server. */
  base: Record<string, RawValue>;
  /** The same columns as the device has them. */
  local: Record<string, RawValue>;
  /** The same columns as the server has them. */
  remote: Record<string, RawValue>;
  policies: TablePolicies;
  /** Edit times in server time, ms; null where unknown. */
  localTimes: Record<string, number | null>;
  remoteTimes: Record<string, number | null>;
  /**
   * The local edit moves the stage past a checkpoint, by a person who may. `stands`: the other edit is an agent's;
   * `unknown`: nobody knows whose it is (D12).
   */
  approval?: 'stands' | 'unknown' | null;
  /**
   * Of edits that depend on what the record was (U45), whether that was still so on the server. Where it was not
   * (`stale`), or may not have been (`unjudged`) and others changed the same, the server's value stands, and a person decides.
   */
  expectations?: Readonly<Record<string, 'stale' | 'unjudged' | undefined>>;
}

export interface MergedColumn {
  value: RawValue;
  /** `same`: both sides have the same value; `local`, `remote`: only that side changed it; `conflict`: both did. */
  how: 'same' | 'local' | 'remote' | 'conflict';
  /** For conflicts: the policy (or approval) that settled it, or `open` until a person does. */
  by?: Policy | 'approval' | 'open';
}

/**
 * Merges the edited columns of one record. Deterministic and free of I/O.
 * @returns one decision for each column of `base`
 */
export function mergeRecord(input: MergeInput): Record<string, MergedColumn> {
  const merged: Record<string, MergedColumn> = {};
  for (const columns of byUnit(input)) Object.assign(merged, mergeUnit(input, columns));
  return merged;
}

/** Groups the columns by their unit; every other column stands alone (U6). */
function byUnit(input: MergeInput): string[][] {
  const units = new Map<string, string[]>();
  for (const name of Object.keys(input.base)) {
    const unit = columnsOf(input.table)[name]?.unit ?? `column ${name}`;
    units.set(unit, [...(units.get(unit) ?? []), name]);
  }
  return [...units.values()];
}

function mergeUnit(input: MergeInput, columns: string[]): Record<string, MergedColumn> {
  const { table, base, local, remote } = input;
  const at = (side: Record<string, RawValue>, name: string): RawValue => side[name] ?? null;
  const equal = (a: Record<string, RawValue>, b: Record<string, RawValue>) =>
    columns.every((name) => sameValue(table, name, at(a, name), at(b, name)));
  const all = (decide: (name: string) => MergedColumn) =>
    Object.fromEntries(columns.map((name) => [name, decide(name)]));

  if (equal(local, remote)) return all((name) => ({ value: at(remote, name), how: 'same' }));
  const expectations = columns.map((name) => input.expectations?.[name]);
  const open = () => all((name) => ({ value: at(remote, name), how: 'conflict', by: 'open' }));
  if (expectations.includes('stale')) return open();
  if (equal(base, remote)) return all((name) => ({ value: at(local, name), how: 'local' }));
  if (equal(base, local)) return all((name) => ({ value: at(remote, name), how: 'remote' }));
  if (expectations.includes('unjudged')) return open();

  if (input.approval && columns.includes('current_stage')) {
    // Where the agent has moved the stage, or may be a person, the conflict is open.
    const isSameStage = sameValue(
      table,
      'current_stage',
      at(base, 'current_stage'),
      at(remote, 'current_stage'),
    );
    const stands = isSameStage && input.approval === 'stands';
    const side = stands ? local : remote;
    return all((name) => ({ value: at(side, name), how: 'conflict', by: stands ? 'approval' : 'open' }));
  }
  const first = columns[0] as string;
  const policy = input.policies[first] ?? 'remote';
  if (policy === 'text') {
    const text = mergeProse(at(base, first), at(local, first), at(remote, first));
    // Two edits that fit by themselves may be too long together: the server would refuse what was told as settled.
    const { max = Number.POSITIVE_INFINITY } = columnsOf(table)[first] ?? {};
    if (text !== null && charactersIn(text) <= max)
      return all(() => ({ value: text, how: 'conflict', by: 'text' }));
    return open();
  }
  const side = policy === 'later' && isLater(input, columns) ? local : remote;
  return all((name) => ({ value: at(side, name), how: 'conflict', by: policy }));
}

/** Whether the local edit is later. Ties and unknown times go to the server, so that all devices decide alike. */
function isLater(input: MergeInput, columns: string[]): boolean {
  const latest = (times: Record<string, number | null>) =>
    Math.max(...columns.map((name) => times[name] ?? Number.NEGATIVE_INFINITY));
  const local = latest(input.localTimes);
  const remote = latest(input.remoteTimes);
  return Number.isFinite(local) && Number.isFinite(remote) && local > remote;
}

/** @returns the merged text; null, for a person to decide, where both sides changed the same passage or one cleared the column. */
function mergeProse(base: RawValue, local: RawValue, remote: RawValue): string | null {
  if (typeof local !== 'string' || typeof remote !== 'string') return null;
  return mergeText(typeof base === 'string' ? base : '', local, remote);
}

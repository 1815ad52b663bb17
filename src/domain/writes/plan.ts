/**
 * Plans of writes. Both services make the same plan, then write it their own way: the local one as a
 * transaction of records, the remote one as a push. Only plans decide on values, activities and errors.
 */

import type { RejectedError, StaleError, ValidationError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import type { Result } from '@/core/result';
import type { ActivityDraft } from '../activities';
import type { Activity, EntityOf, TaskDependency } from '../entities';
import type { RestorableTable, SyncedTable } from '../schema';
import type { RecordValues } from '../validation';
import type { TaskGraph } from './taskGraph';

export type PlannedChange =
  | { op: 'insert'; table: SyncedTable; id: string; values: RecordValues }
  | {
      op: 'update';
      table: SyncedTable;
      id: string;
      values: RecordValues;
      /** Columns that the store has to hold unchanged when the change reaches it, with the values that the plan has found (U45). */
      expected?: RecordValues;
    }
  | { op: 'delete'; table: SyncedTable; id: string };

/** A task's way through its workflow, from one stage to another (R4). */
export interface StageMove {
  /** Of the workflow it follows after the write. */
  workflowId: string;
  /** null: the task is new. */
  from: string | null;
  to: string;
  /** The write makes the task done, or gives it a completion date. */
  finishes: boolean;
}

/** One write of a caller, to be made whole or not at all. */
export interface WritePlan {
  workspaceId: string;
  /** Empty where the caller repeats stored values. Updates hold changed columns alone. */
  changes: readonly PlannedChange[];
  /** The activities that describe the changes in the feed. */
  activities: readonly { id: string; draft: ActivityDraft }[];
  /** The record that the caller gets back; null for deletions. */
  answer: { table: SyncedTable; id: string } | null;
  /** Present where the write moves or finishes a task: a checkpoint may be in the way. */
  move?: StageMove;
  /** Present where the write restores a deletion: the table of the deleted record. */
  restores?: RestorableTable;
  /** Present where the write approves or returns a request for review: the checkpoint, which binds all but people who own or edit. */
  settlesReviewAt?: string;
  /** The caller deletes what somebody else wrote, which human owners alone may. */
  deletesCommentOfOthers?: true;
  /** Entries of the feed that lose their text, with what is left of their details (F4): a device blanks what it never sent, the server its own. */
  blanks?: readonly { id: string; details: Json }[];
  /** The caller ends their own membership, which every member may. */
  leaves?: true;
}

/** The reads that plans need, from the store of the service; with its clock and its ids. */
export interface PlanContext {
  /** The caller; null where nobody is signed in. */
  userId(): Promise<string | null>;
  /** @returns the live record, under the id it has in this store; null where the caller may see none. */
  find<Table extends SyncedTable>(table: Table, id: string): Promise<EntityOf[Table] | null>;
  /** @returns the link that makes one task depend on another, or null. */
  dependency(taskId: string, dependsOnId: string): Promise<TaskDependency | null>;
  /** @returns the entries of these kinds in a task's feed, in the order in which the server took them, unsynced ones last. */
  entries(taskId: string, types: readonly string[]): Promise<Activity[]>;
  /** @returns whether the user is a member of the workspace; null where this store does not hold its members: the server decides. */
  isMember(workspaceId: string, userId: string): Promise<boolean | null>;
  /** Absent: the server holds all tasks; it refuses cycles, and moves subtasks along, by itself. */
  graph?: TaskGraph;
  /** @returns an id that no record has. */
  newId(): string;
  /** @returns the time as ISO 8601 in UTC. */
  now(): string;
  /** @returns the place of a new task that is given none, after all those before (`newPlaces`). */
  newPlace(): number;
}

export type Planned = Result<WritePlan, ValidationError | RejectedError | StaleError>;

/** A write whose input is valid by itself, on a record that is still to be found. */
export interface WriteRequest<Table extends SyncedTable = SyncedTable> {
  /** `field`: the argument of the caller that names the record. */
  target: { table: Table; id: string; field: string };
  plan(target: EntityOf[Table], context: PlanContext): Promise<Planned> | Planned;
}

export type Requested<Table extends SyncedTable = SyncedTable> = Result<WriteRequest<Table>, ValidationError>;
